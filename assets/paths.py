"""Where the data files lie, installed or in a checkout."""

from pathlib import Path

ROOT = Path(__file__).parent
ROBOTS = ROOT / "robots"
OBJECTS = ROOT / "objects"
ARENAS = ROOT / "arenas"
