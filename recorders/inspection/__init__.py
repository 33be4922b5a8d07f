"""Inspection of datasets, from states and actions alone: inspect.py is the entry."""
