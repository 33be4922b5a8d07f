"""TODO recorders/video."""
