"""The flags of `watch-rollouts`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ambidex.benchmarks.gallery.report_embedding import BUDGET_MB
from ambidex.benchmarks.look import Look
from ambidex.command_line import ImageSize, Names, OptionalInt, OptionalPath, Switch
from ambidex.recorders.recording.config import Quality

PORT = 8400


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Watch episodes in the browser: success rates, how far they got, and a video of each.

    Videos that are missing are made from the stored states when they are asked for. Ctrl-C ends it. To watch what lies
    on another machine, run it there, and here: ssh -L 8400:127.0.0.1:8400 MACHINE.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH2]")]]
    """A folder of run-benchmark or of record-episodes. With a second one, both are shown side by side, seed by seed."""
    port: OptionalInt = None
    """Where on 127.0.0.1 the page is served; auto is 8400, or the next port that is free; 0 takes any."""
    export: OptionalPath = None
    """Write one self-contained page to this file instead, with its videos in it."""
    budget: float = BUDGET_MB
    """With --export, the videos in the page may have this size together [MB]. Failures come first."""
    cameras: Names = None
    """Cameras of the videos, side by side; auto is the first one of the task's family, or the recorded videos."""
    image_size: ImageSize = None
    """Height and width of each camera [px]; auto is 240 320."""
    render_quality: Quality = Look.quality
    """standard is fast; studio has shadows and smooth edges."""
    workers: OptionalInt = None
    """With --export, worker processes that make videos; auto is one per usable CPU, 0 works in this process."""
    quiet: Switch = False
    """Say nothing but the address and errors."""
    debug: Switch = False
    """Show tracebacks."""
