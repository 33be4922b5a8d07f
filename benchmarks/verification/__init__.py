"""Verification of results folders by playing back stored actions: playback.py is the entry."""
