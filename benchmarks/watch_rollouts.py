"""The command `watch-rollouts`."""

import math
import sys
from collections.abc import Sequence
from typing import NoReturn

from ambidex.benchmarks.gallery.server.config import WatchConfig
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.command_line import DONE, FAILED, print_message, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError

COMMAND = "watch-rollouts"
MOST_FOLDERS = 2


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, serve or write the gallery, and leave with an exit code."""
    run(COMMAND, _main, WatchConfig, argv)


def _main(config: WatchConfig) -> int:
    check_environment()
    if not 1 <= len(config.paths) <= MOST_FOLDERS:
        raise UsageError(f"{len(config.paths)} folders are given. Give one to watch, or two to compare.")
    if not 0 <= config.budget < math.inf:
        raise UsageError(f"--budget {config.budget}: expected 0 or more.")
    look = _look(config)
    if config.export is not None:
        return _export(config, look)
    _serve(config, look)
    return DONE


def _look(config: WatchConfig) -> VideoStyle:
    if config.cameras == ():
        raise UsageError("--cameras none: a video needs at least one camera. Name one, or leave the flag out.")
    size = config.image_size or VideoStyle.image_size
    return VideoStyle(cameras=config.cameras or (), image_size=size, quality=config.render_quality)


def _serve(config: WatchConfig, look: VideoStyle) -> None:
    from ambidex.benchmarks.gallery.server.serve import serve  # heavy: not for --help

    serve(config, look)


def _export(config: WatchConfig, look: VideoStyle) -> int:
    from ambidex.benchmarks.gallery.report import export
    from ambidex.benchmarks.gallery.sources import read_runs

    assert config.export is not None
    runs = read_runs(config.paths, look)
    for shown in () if config.quiet else runs:
        if shown.shortfall:
            print_message(COMMAND, shown.shortfall)
    report = export(runs, config.export, look, budget_mb=config.budget, workers=config.workers, quiet=config.quiet)
    if not config.quiet:
        sys.stdout.write(report.in_words() + "\n")
    if report.unfilmed:
        print_message(COMMAND, report.unfilmed)
    return FAILED if report.unfilmed else DONE
