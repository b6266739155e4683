"""What makes measurements here doubtful, each with a remedy. Pure functions of what was read before."""
