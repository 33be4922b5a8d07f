"""TODO recorders/formats."""
