"""TODO recorders/formats/libero."""
