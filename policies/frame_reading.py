"""Decodes the frames of episode files. Needs no torch, so that worker processes start fast."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ambidex.envs.types import ImageArray
from ambidex.recorders.act_reader import EpisodeFile


def read_frames(path: Path, camera: str, first: int, end: int) -> ImageArray:
    """Frames `first` to before `end` of a camera, shape (end - first, H, W, 3) uint8.

    Raises:
        DatasetError: The file or a frame is damaged.
    """
    with EpisodeFile(path) as file:
        return np.stack([file.frame(camera, t) for t in range(first, end)])


def frames_size(steps: int, cameras: Sequence[str], image_size: tuple[int, int]) -> int:
    """Bytes of all decoded frames of this many steps."""
    height, width = image_size
    return steps * len(cameras) * height * width * 3
