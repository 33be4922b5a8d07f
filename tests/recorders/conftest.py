"""Lets tests and their worker processes import the modules of this folder that hold no tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
