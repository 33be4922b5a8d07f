"""The command `verify-episodes`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.command_line import DONE, FAILED, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError
from ambidex.flags import OptionalInt, Switch
from ambidex.progress import Progress
from ambidex.recorders.verification.checks import Verification
from ambidex.text import text_table
from ambidex.worker_pool import WorkerError

# FOLDED recorders.verify_config: The flags of `verify-episodes`.


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


COMMAND = "verify-episodes"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, verify, and leave with an exit code."""
    run(COMMAND, _main, VerifyConfig, argv)


def _main(config: VerifyConfig) -> int:
    check_environment()
    from ambidex.recorders.verification.verify import episode_files, verify  # heavy: not for --help

    if not config.paths:
        raise UsageError("No path is given. Name a dataset, e.g. verify-episodes data/transfer_cube.")
    files = episode_files(*config.paths)
    results = []
    with Progress("verified", len(files), quiet=config.quiet) as progress:
        for result in verify(*config.paths, ee=config.ee, pictures=config.pictures, workers=config.workers):
            results.append(result)
            progress.update(len(results), sum(map(reproduces, results)), len(results))
    results.sort(key=lambda result: files.index(result[0]))
    if not config.quiet:
        sys.stdout.write(report(config.paths, results) + "\n")
    return DONE if all(map(reproduces, results)) else FAILED


# FOLDED recorders.verify_report: What `verify-episodes` prints.

HEADER = ("episode", "seed", "recorded", "states", "joint actions", "ee actions", "pictures")


def report(paths: Sequence[Path], results: Sequence[tuple[Path, Verification | WorkerError]]) -> str:
    """A table with a line per episode, what is to be noted, and the sum.

    Args:
        paths: What was asked for; episodes of one path are named within it.
        results: Each episode with what came of it.
    """
    root = paths[0] if len(paths) == 1 else None
    verified = [result for _, result in results if isinstance(result, Verification)]
    broken = [_broken(path, error) for path, error in results if isinstance(error, WorkerError)]
    broken += [result.pictures.said for result in verified if result.pictures is not None and result.pictures.said]
    notes = sorted({note for result in verified for note in result.notes})
    table = [text_table(HEADER, [_row(root, result) for result in verified])] if verified else []
    return "\n".join([*table, *broken, *(f"Note: {note}." for note in notes), *_sums(len(results), verified)])


def reproduces(result: tuple[Path, Verification | WorkerError]) -> bool:
    """Whether the file could be read and all of it came out as recorded."""
    return isinstance(result[1], Verification) and result[1].reproduces


def _broken(path: Path, error: WorkerError) -> str:
    return error.message if error.message.startswith(str(path)) else f"{path}: {error.message}"


def _row(root: Path | None, result: Verification) -> tuple[str, ...]:
    states = "same"
    if result.first_difference is not None:
        states = f"differ from {result.first_difference} by {result.largest_difference:.2g}"
    ee = "-" if result.ee_success is None else _outcome(result.ee_success)
    return (
        _name(root, result.path),
        str(result.seed),
        _outcome(result.recorded_success),
        states,
        _outcome(result.joint_success),
        ee,
        "not read" if result.pictures is None else result.pictures.in_words,
    )


def _sums(files: int, verified: Sequence[Verification]) -> list[str]:
    lost = files - len(verified)
    unread = [f"{lost} of {files} could not be replayed."] if lost else []
    return [*unread, _sum(files, verified)] if verified else unread


def _sum(files: int, verified: Sequence[Verification]) -> str:
    parts = [
        f"{sum(result.same_states for result in verified)} of {files} episodes have the same states bit for bit",
        f"{sum(result.same_success for result in verified)} the same success from joint actions",
    ]
    if any(result.ee_success is not None for result in verified):
        tried = [result for result in verified if result.ee_success is not None]
        parts.append(f"{sum(result.same_ee_success for result in tried)} the same success from end-effector actions")
    if any(result.pictures is not None and result.pictures.count for result in verified):
        parts.append(f"{sum(result.whole_pictures for result in verified)} all their pictures whole")
    return ", ".join(parts) + "."


def _name(root: Path | None, path: Path) -> str:
    if root is None:
        return str(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) and path != root else path.name


def _outcome(success: bool) -> str:
    return "success" if success else "failure"
