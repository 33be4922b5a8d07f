"""Reads ACT episodes: fields at once, frames by random access."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from ambidex.envs.types import Episode
from ambidex.recorders.act_fields import FIELDS, FORMAT_VERSION, IMAGES, fingerprints
from ambidex.recorders.image_storage import IMAGE_CRC32
from ambidex.recorders.stored_episode import StoredEpisode
from ambidex.recorders.stored_frames import StoredFrames


def read_episode(path: Path) -> Episode:
    """Everything of an episode file but the pixels.

    Raises:
        DatasetError: The file is missing, damaged, or was not recorded by this project.
    """
    with EpisodeFile(path) as file:
        return file.episode


class EpisodeFile(StoredEpisode):
    """An open episode file; its storage may be any."""

    _fields = FIELDS
    _format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        """Open and check the file: attributes, shapes and types of all fields, but no data.

        Raises:
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        super().__init__(path, file=path, group="/")

    def _stored_frames(self) -> StoredFrames:
        source = self._source
        return StoredFrames(
            path=self.path,
            datasets={camera: source.dataset(f"{IMAGES}/{camera}") for camera in self.cameras},
            checksums=source.array(IMAGE_CRC32) if source.has(IMAGE_CRC32) else None,
            encoded=bool(self._attribute("compress", np.bool_)),
            bottom_up=False,
            steps=self.steps,
            image_size=self.spec.image_size,
        )

    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        return fingerprints(episode, spec)
