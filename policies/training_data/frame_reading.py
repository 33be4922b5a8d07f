"""Decodes frames of episode files, as they are asked for by row."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from ambidex.envs.types import ImageArray
from ambidex.policies.training_data.episode_table import EpisodeTable, RowArray
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.formats.registry import open_episode

OPEN_FILES = 128  # far below what a process may open


class FrameReader:
    """Reads frames by row of a table. Each file is opened once and stays open, up to a number. Can be pickled.

    Args:
        table: The episodes.
        cameras: The cameras to read.
    """

    def __init__(self, table: EpisodeTable, cameras: Sequence[str]) -> None:
        self.cameras = tuple(cameras)
        self._paths = [entry.path for entry in table.entries]
        self._starts = table.starts
        self._open: OrderedDict[int, StoredEpisode] = OrderedDict()

    def read(self, rows: RowArray) -> dict[str, ImageArray]:
        """Camera -> (B, H, W, 3) uint8.

        Raises:
            DatasetError: A file or a frame is damaged.
        """
        episodes = np.searchsorted(self._starts, rows, side="right") - 1
        places = [(int(episode), int(row - self._starts[episode])) for episode, row in zip(episodes, rows, strict=True)]
        frames = [[self._file(i).frame(camera, t) for camera in self.cameras] for i, t in places]
        return {camera: np.stack(views) for camera, views in zip(self.cameras, zip(*frames, strict=True), strict=True)}

    def close(self) -> None:
        """Close all files. Safe to call twice."""
        while self._open:
            self._open.popitem()[1].close()

    def _file(self, episode: int) -> StoredEpisode:
        if episode in self._open:
            self._open.move_to_end(episode)
        else:
            if len(self._open) == OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            self._open[episode] = open_episode(self._paths[episode])
        return self._open[episode]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": OrderedDict()}


def frames_size(rows: int, cameras: Sequence[str], image_size: tuple[int, int]) -> int:
    """Bytes of the decoded frames of this many rows."""
    height, width = image_size
    return rows * len(cameras) * height * width * 3
