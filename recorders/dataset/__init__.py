"""TODO recorders/dataset."""
