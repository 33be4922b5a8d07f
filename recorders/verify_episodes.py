"""The command `verify-episodes`: its flags, and the report it prints."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import OptionalInt, Switch
from ambidex.progress import Progress
from ambidex.recorders.verification.checks import Verification
from ambidex.text import text_table
from ambidex.worker_pool.worker import WorkerError

COMMAND = "verify-episodes"
HEADER = ("episode", "seed", "recorded", "states", "joint actions", "ee actions", "images")


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """Replay every episode's actions through the simulator, and read everything that its file holds.

    The actions of the control mode it was recorded in must give the same states and the same success; the actions
    of the other mode, if there are any, the same success. On the type of processor that recorded them states are
    the same bit for bit; on another one each step may differ by 1e-8 from the stored state ("other arithmetic").
    Perturbed episodes are replayed with their perturbations, whose stored values must be those drawn now. Every
    field must match its SHA-256, and every image its checksum. Episodes that dataset.json counts must exist. The
    exit status is 1 if any check fails. Not checked: whether images show the states, and videos.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Dataset folders, folders with datasets in them, episode files, or FILE/demo_I for one of a LIBERO file."""
    bitwise: Switch = False
    """Fail episodes whose states are not the same bit for bit too."""
    ee: bool = True
    """Replay the end-effector actions of episodes under joint control too."""
    pictures: bool = True
    """Read and decode every stored image too; one of 120 x 160 takes about 0.1 ms, one of 480 x 640 1 to 2 ms."""
    accept_missing: Switch = False
    """Let dataset.json say that missing episodes of the datasets were removed on purpose, so that they may be."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, verify, and exit."""
    run(COMMAND, _main, VerifyConfig, argv)


def _main(config: VerifyConfig) -> int:
    check_environment()
    from ambidex.recorders.dataset.dataset import dataset_folders
    from ambidex.recorders.dataset.files import accept_missing
    from ambidex.recorders.verification.verify import episode_files, verify  # heavy: not for --help

    if not config.paths:
        raise UsageError("No path is given.", "Name a dataset, e.g. verify-episodes data/transfer_cube.")
    if config.accept_missing:
        datasets = [dataset for path in config.paths for dataset in dataset_folders(path)]
        if not datasets:
            raise UsageError("--accept-missing: no path is a dataset.", "Name the folder of the dataset.")
        for dataset in datasets:
            removed = ", ".join(map(str, accept_missing(dataset))) or "none"
            if not config.quiet:
                print_message(COMMAND, f"{dataset}: missing episodes now recorded as removed: {removed}.")
    files = episode_files(*config.paths)
    results, passed = [], 0
    with Progress("verified", len(files), quiet=config.quiet) as progress:
        for result in verify(*config.paths, ee=config.ee, pictures=config.pictures, workers=config.workers):
            results.append(result)
            passed += reproduces(result, config.bitwise)
            progress.update(len(results), passed, len(results))
    results.sort(key=lambda result: files.index(result[0]))
    failed = [(path, found) for path, found in results if not reproduces((path, found), config.bitwise)]
    if not config.quiet:
        print_result(report(config.paths, results, shard_notes(config.paths)))
    for path, found in failed if config.quiet else ():
        print_message(COMMAND, _error(path, found) if isinstance(found, WorkerError) else _failure(found))
    return FAILED if failed else DONE


def shard_notes(paths: Sequence[Path]) -> tuple[str, ...]:
    """Which of some datasets are shards; those that cannot be read are left out."""
    from ambidex.recorders.dataset.dataset import dataset_folders, dataset_notes  # heavy: not for --help

    notes: list[str] = []
    for folder in (folder for path in paths for folder in dataset_folders(path)):
        with suppress(DatasetError):  # the report has it
            notes += (note.rstrip(".") for note in dataset_notes(folder))
    return tuple(notes)


def report(
    paths: Sequence[Path], results: Sequence[tuple[Path, Verification | WorkerError]], notes: Sequence[str] = ()
) -> str:
    """A table with a line per episode, then errors, notes and totals. Episodes of a single path are named within it."""
    root = paths[0] if len(paths) == 1 else None
    verified = [result for _, result in results if isinstance(result, Verification)]
    errors = [_error(path, error) for path, error in results if isinstance(error, WorkerError)]
    errors += [f"{result.path}: {line}." for result in verified for line in result.draws]
    errors += [result.frames.message for result in verified if result.frames is not None and result.frames.message]
    notes = [*notes, *sorted({note for result in verified for note in result.notes})]
    table = [text_table(HEADER, [_row(root, result) for result in verified])] if verified else []
    return "\n".join([*table, *errors, *(f"Note: {note}." for note in notes), *_totals(len(results), verified)])


def reproduces(result: tuple[Path, Verification | WorkerError], bitwise: bool) -> bool:
    """Whether the episode could be read and passed all checks."""
    found = result[1]
    return isinstance(found, Verification) and found.reproduces and (found.states.same or not bitwise)


def _error(path: Path, error: WorkerError) -> str:
    return error.message if error.message.startswith(str(path)) else f"{path}: {error.message}"


def _failure(result: Verification) -> str:
    """A row of the table as a sentence, and the damaged frames."""
    columns = zip(HEADER[2:], _row(None, result)[2:], strict=True)
    damaged = result.frames.message if result.frames is not None else ""
    found = " ".join(filter(None, (*(f"{line}." for line in result.draws), damaged)))
    return f"{result.path}: {', '.join(f'{name} {value}' for name, value in columns)}. {found}".rstrip()


def _row(root: Path | None, result: Verification) -> tuple[str, ...]:
    return (
        _name(root, result.path),
        str(result.seed),
        _outcome(result.recorded_success),
        str(result.states),
        _outcome(result.joint_success),
        "-" if result.ee_success is None else _outcome(result.ee_success),
        "not read" if result.frames is None else str(result.frames),
    )


def _totals(episodes: int, verified: Sequence[Verification]) -> list[str]:
    failed = episodes - len(verified)
    lines = [f"{failed} of {episodes} could not be replayed."] if failed else []
    if not verified:
        return lines
    other = sum(result.states.consistent and not result.states.same for result in verified)
    parts = [
        f"{sum(result.states.same for result in verified)} of {episodes} episodes have the same states bit for bit",
        *([f"{other} differ only as other arithmetic rounds"] if other else []),
        f"{sum(result.same_success for result in verified)} the same success from joint actions",
    ]
    if any(result.ee_success is not None for result in verified):
        replayed = [result for result in verified if result.ee_success is not None]
        parts.append(f"{sum(result.same_ee_success for result in replayed)} the same success from end-effector actions")
    frames = [result.frames for result in verified if result.frames is not None]
    unchecked = sum(report.unchecked > 0 for report in frames)
    if any(report.count for report in frames):
        intact = sum(report.intact and not report.unchecked for report in frames)
        parts.append(f"{intact} have all their images intact")
    if unchecked:
        parts.append(f"{unchecked} have images without checksums, which could only be decoded")
    return [*lines, ", ".join(parts) + "."]


def _name(root: Path | None, path: Path) -> str:
    if root is None:
        return str(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) and path != root else path.name


def _outcome(success: bool) -> str:
    return "success" if success else "failure"
