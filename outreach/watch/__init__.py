"""What an operator sees of the running service: is it well, what waits, what was answered."""
