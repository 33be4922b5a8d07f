"""The flags of `verify-episodes`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ambidex.command_line import OptionalInt, Switch


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """Replay every episode's actions through the simulator, and read all that its file holds.

    What was sent, under the control mode it was recorded in, must give the same states bit for bit (same MuJoCo version
    and machine type) and the same success; the actions of the other mode, where there are some, the same success. Every
    field must have its fingerprint, and every picture its checksum. Episodes that dataset.json counts must be there.
    Leaves with 1 if anything is amiss. What is not looked at: whether pictures show the states, and videos.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Dataset folders, folders with datasets in them, episode files, or FILE/demo_I for one of a LIBERO file."""
    ee: bool = True
    """Replay the end-effector actions of episodes under joint control too."""
    pictures: bool = True
    """Read and decode every stored picture too; one of 120 x 160 takes about 0.1 ms, one of 480 x 640 1 to 2 ms."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""
