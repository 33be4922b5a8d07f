"""Is this folder fit to record into?"""

import shutil
from pathlib import Path

from ambidex.atomic_files import remove_leftovers
from ambidex.recorders.dataset.layout import FAILURES, VIDEOS
from ambidex.recorders.formats.libero.format import PARTS
from ambidex.recorders.recording.config import RecordConfig
from ambidex.text import pluralize

SHOWN = 5
STATES_BYTES = 1.2e6  # of an episode of 400 steps without images
RAW_SHARE = {"raw": 1.0, "lossless": 1 / 25, "jpeg": 1 / 20}  # of an image's 3 bytes per pixel, roughly
TEXTURED = 6  # lossless images of wood and labels take so many times more
JOINED = 2  # a LIBERO file is there twice while its demonstrations are joined


def space_warning(config: RecordConfig, directory: Path, episodes: int, steps: int) -> str:
    """What to say if the disk may be too small for so many more episodes; empty if it is not.

    Args:
        config: Resolved config.
        directory: The dataset's folder, which exists.
        episodes: How many are to be written.
        steps: Control steps of each.
    """
    height, width = config.image_size or (0, 0)
    images = len(config.cameras or ()) * steps * height * width * 3 * RAW_SHARE[config.storage]
    if config.format == "libero":
        images *= JOINED * (TEXTURED if config.storage == "lossless" else 1)
    needed, free = episodes * (STATES_BYTES + images), shutil.disk_usage(directory).free
    if needed <= free:
        return ""
    return (
        f"The disk may fill up: {pluralize(episodes, 'more episode')} will take about {_amount(needed)}, and "
        f"{_amount(free)} are free at {directory}. "
        "If it does, nothing is lost: free some space and go on with --resume."
    )


def _amount(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def dataset_size(directory: Path) -> int:
    """Size of all files of a dataset [B]."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def clean(directory: Path) -> None:
    """Remove what killed runs left half-written. Only while the folder is ours."""
    for folder in (directory, directory / FAILURES, directory / VIDEOS, directory / PARTS):
        remove_leftovers(folder)
