"""Extractors: the main camera's image and the instruction to the features by which a universal action is chosen."""
