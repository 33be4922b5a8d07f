"""What `verify-episodes` prints."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.recorders.verification import Verification
from ambidex.text import text_table
from ambidex.worker_pool import WorkerError

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
