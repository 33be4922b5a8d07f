"""Where a demonstration of a LIBERO dataset lies: in a file of its own, or in one with many."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.hdf5_source import Hdf5Source
from ambidex.recorders.libero_fields import DATA

PREFIX = "demo_"


@dataclass(frozen=True, kw_only=True)
class LiberoPlace:
    """One demonstration.

    Attributes:
        file: The file.
        demo: Its group in there, "demo_I".
    """

    file: Path
    demo: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """The place a path means: FILE/demo_I, or a file with one demonstration.

        Raises:
            UsageError: A file with several demonstrations.
            DatasetError: It is missing, damaged or foreign.
        """
        if within_file(path):
            return cls(file=path.parent, demo=path.name)
        demos = demos_of(path)
        if len(demos) != 1:
            raise UsageError(
                f"{path} holds {len(demos)} demonstrations. Name one, e.g. {path / (demos or [f'{PREFIX}0'])[0]}."
            )
        return cls(file=path, demo=demos[0])


def within_file(path: Path) -> bool:
    """Whether a path means a demonstration within a file."""
    return path.name.startswith(PREFIX) and path.parent.is_file()


def demos_of(file: Path) -> list[str]:
    """The demonstrations of a file, by number.

    Raises:
        DatasetError: It is missing, damaged or foreign.
    """
    source = Hdf5Source(file)
    try:
        if not source.has(f"/{DATA}"):
            raise DatasetError(
                f"{file} is no LIBERO file: it has no group {DATA}. Expected one that record-episodes wrote."
            )
        names = [name for name in source.names(f"/{DATA}") if demo_index(name) is not None]
        return sorted(names, key=lambda name: (len(name), name))
    finally:
        source.close()


def demo_index(name: str) -> int | None:
    """The number in "demo_I"; None for another name."""
    digits = name.removeprefix(PREFIX)
    return int(digits) if digits.isdecimal() and name.startswith(PREFIX) else None
