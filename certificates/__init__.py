"""The signed paper that follows from an evaluation."""
