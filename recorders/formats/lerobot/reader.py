"""Reads one episode of a LeRobot dataset that this project wrote."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from ambidex.envs.types import Episode
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.formats.images import IMAGE_CRC32
from ambidex.recorders.formats.lerobot.frames import LeRobotFrames, VideoFrames
from ambidex.recorders.formats.lerobot.layout import (
    ACTION,
    INFO,
    STATE,
    chunk_and_file,
    data_file,
    pyarrow_module,
    root_of,
)
from ambidex.recorders.formats.lerobot.statistics import Statistics, from_lists
from ambidex.recorders.formats.lerobot.writer import (
    EPISODE_FIELDS,
    FORMAT_VERSION,
    GROUP,
    IMAGE_STATISTICS,
    NUMBER,
    STORAGE,
    fingerprints,
    video_files,
)
from ambidex.recorders.hdf5.episode import Hdf5Episode


class LeRobotEpisode(Hdf5Episode):
    """An open episode. Everything but the frames is read from its HDF5 file, and compared with LeRobot's rows."""

    _fields = EPISODE_FIELDS
    _format_version = FORMAT_VERSION
    _frames: LeRobotFrames

    def __init__(self, path: Path) -> None:
        super().__init__(path, file=path, group=GROUP)

    @property
    def number(self) -> int:
        """Number of the episode, after which its other files are named."""
        return int(self._attribute(NUMBER, np.integer))

    @property
    def image_statistics(self) -> dict[str, Statistics]:
        """Camera -> statistics of its images."""
        stored: Mapping[str, Mapping[str, object]] = self._json(IMAGE_STATISTICS)
        return {camera: from_lists(found) for camera, found in stored.items()}

    def close(self) -> None:
        super().close()
        if hasattr(self, "_frames"):
            self._frames.close()

    def _stored_frames(self) -> LeRobotFrames:
        videos = video_files(root_of(self.path), self.number, self.cameras)
        checksums = self._source.array(f"{GROUP}/{IMAGE_CRC32}") if videos else ()
        hz = self.spec.control_hz
        stored = zip(videos.items(), checksums, strict=True)
        sources = {camera: VideoFrames(video, hz, checksums=crc32) for (camera, video), crc32 in stored}
        return LeRobotFrames(sources, self._attribute(STORAGE, str), self.path.stem)

    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        return fingerprints(episode, spec)

    def _check_fingerprints(self, episode: Episode) -> None:
        super()._check_fingerprints(episode)
        root = root_of(self.path)
        if (root / INFO).exists():  # the rows are written after the last episode
            _check_rows(data_file(root, *chunk_and_file(self.number)), episode)


def _check_rows(path: Path, episode: Episode) -> None:
    """Raise DatasetError unless LeRobot's rows have the states and actions of an episode."""
    tables = pyarrow_module("tables")
    columns = tables.read_columns(path, (STATE, ACTION))
    for name, expected in ((STATE, episode.qpos), (ACTION, episode.actions)):
        if tables.vectors(path, name, columns).tobytes() != expected.tobytes():
            problem = f"{path}, column {name}: it differs from what was recorded."
            raise DatasetError(problem, repair_hint(path), path=path, field=name)
