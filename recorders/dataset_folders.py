"""The datasets within a folder, and the words that name them in a command."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from ambidex.recorders.dataset_info import DATASET_JSON

DEPTHS = ("*", "*/*")  # a suite's folder, and one with such folders in it


def dataset_folders(folder: Path) -> list[Path]:
    """The dataset that a folder is, or those in it: of a suite, or of several tasks and suites.

    Args:
        folder: Any folder.

    Returns:
        In the order of their paths; empty if there is none.
    """
    if (folder / DATASET_JSON).is_file():
        return [folder]
    return sorted(file.parent for depth in DEPTHS for file in folder.glob(f"{depth}/{DATASET_JSON}"))


def in_words(datasets: Sequence[Path]) -> str:
    """What to write into a command to name some datasets: FOLDER/* for all that is in a folder."""
    return " ".join(_named(folder, list(inside)) for folder, inside in groupby(datasets, lambda path: path.parent))


def _named(folder: Path, datasets: Sequence[Path]) -> str:
    shown = {path for path in folder.iterdir() if not path.name.startswith(".")}
    if len(datasets) > 1 and shown == set(datasets):
        return f"{folder}/*"
    return " ".join(map(str, datasets))
