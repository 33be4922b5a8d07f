"""The formats of episode files; registry.py has the interface they share, docs/datasets.md describes the files."""
