"""TODO recorders/verification."""
