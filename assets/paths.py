"""Paths of the data files."""

from pathlib import Path

ROOT = Path(__file__).parent
ROBOTS = ROOT / "robots"
OBJECTS = ROOT / "objects"
ARENAS = ROOT / "arenas"
