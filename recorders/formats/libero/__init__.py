"""LIBERO's format: one file with all demonstrations of a task. layout.py has the names in it."""
