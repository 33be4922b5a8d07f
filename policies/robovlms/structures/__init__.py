"""Structures: how observations of a window and actions meet the vision-language model."""
