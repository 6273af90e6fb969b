"""Takes the whole register into one encrypted file, and makes a register of it again."""
