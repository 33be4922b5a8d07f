"""Answers about what would happen, without moving anything: collisions, reach, rest heights, drops, obstacles."""
