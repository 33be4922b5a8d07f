"""The tasks of the ALOHA cell, one file each, and the conditions that their goals share."""
