"""The command `watch-rollouts`, and its flags."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.benchmarks.videos.jobs import BUDGET_MB, VideoStyle
from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError
from ambidex.flags import ImageSize, Names, OptionalInt, OptionalPath, Switch
from ambidex.recorders.recording.config import Quality

COMMAND = "watch-rollouts"
MAX_FOLDERS = 2


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Watch episodes in the browser: success rates, the stages that were reached, and a video of each episode.

    Missing videos are made from the stored states on request. Ctrl-C stops the server. To watch episodes on another
    machine, run this there, and here: ssh -L 8400:127.0.0.1:8400 MACHINE.
    """

    help_topics = {"Common options": "paths port export cameras", "Videos": "image_size render_quality budget workers"}

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH2]")]]
    """A folder of run-benchmark or of record-episodes. Two folders are compared seed by seed. That of a robustness
    benchmark shows clean and perturbed episodes with different outcomes."""
    port: OptionalInt = None
    """Port on 127.0.0.1; auto is 8400, or the next port that is free; 0 is any free port."""
    export: OptionalPath = None
    """Write one self-contained page with its videos to this file instead."""
    budget: float = BUDGET_MB
    """With --export, maximum size of all videos in the page together [MB]. Failures come first."""
    cameras: Names = None
    """Cameras of the videos, side by side; auto is the first one of the task's family, or the recorded videos."""
    image_size: ImageSize = None
    """Height and width of each camera [px]; auto is 240 320."""
    render_quality: Quality = VideoStyle.quality
    """standard is fast; studio has shadows and smooth edges."""
    workers: OptionalInt = None
    """With --export, worker processes that make videos; auto is one per usable CPU, 0 works in this process."""
    quiet: Switch = False
    """Print only the address and errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, serve or write the page, and exit with a status."""
    run(COMMAND, _main, WatchConfig, argv)


def _main(config: WatchConfig) -> int:
    check_environment()
    if not 1 <= len(config.paths) <= MAX_FOLDERS:
        raise UsageError(f"{len(config.paths)} folders are given.", "Give one to watch, or two to compare.")
    if not 0 <= config.budget < math.inf:
        raise UsageError(f"--budget {config.budget}: expected 0 or more.")
    style = _style(config)
    if config.export is not None:
        if config.export.is_dir():
            problem = f"--export {config.export}: it is a folder, expected the file of the page."
            raise UsageError(problem, f"Give for instance {config.export / 'index.html'}.", path=config.export)
        return _export(config, config.export, style)
    from ambidex.benchmarks.gallery.server.http_server import serve  # not needed for --help

    serve(config.paths, style, port=config.port, quiet=config.quiet)
    return DONE


def _style(config: WatchConfig) -> VideoStyle:
    if config.cameras == ():
        raise UsageError("--cameras none: a video needs at least one camera.", "Name one, or leave the flag out.")
    size = config.image_size or VideoStyle.image_size
    return VideoStyle(cameras=config.cameras or (), image_size=size, quality=config.render_quality)


def _export(config: WatchConfig, path: Path, style: VideoStyle) -> int:
    from ambidex.benchmarks.gallery.report import export_page  # not needed for --help
    from ambidex.benchmarks.gallery.sources import read_runs

    runs = read_runs(config.paths, style)
    for shown in runs:
        if shown.incomplete and not config.quiet:
            print_message(COMMAND, shown.incomplete)
    report = export_page(runs, path, style, budget_mb=config.budget, workers=config.workers, quiet=config.quiet)
    if not config.quiet:
        print_result(report)
    if report.missing:
        print_message(COMMAND, report.missing)
    return FAILED if report.missing else DONE
