"""Tasks: aloha/ has one file for each, libero/ makes them from BDDL files."""
