"""A command that writes a line into its log again and again, until it is told to end."""

import sys
import time
from pathlib import Path


def main():
    folder = Path(sys.argv[-1])
    folder.mkdir()
    while True:
        with (folder / "log").open("a") as log:
            log.write("an episode\n")
        time.sleep(0.01)
