"""Rendering of stored states again: render.py is the entry."""
