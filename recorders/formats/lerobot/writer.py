"""Writes one episode: its videos, and an HDF5 file with everything else.

The rows and the metadata of a LeRobot dataset count over all its episodes, so they are written after the last.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np

from ambidex.atomic_files import replacing
from ambidex.envs.types import Episode, ImageArray
from ambidex.recorders.formats.fields import NAMED_FIELDS, check_fields, episode_attributes, sha256_of_parts
from ambidex.recorders.formats.images import IMAGE_CRC32, Frames, OnStep, check_cameras, store_frames
from ambidex.recorders.formats.lerobot.frames import encoded_checksums
from ambidex.recorders.formats.lerobot.layout import chunk_and_file, episode_number, root_of, video_file, video_key
from ambidex.recorders.formats.lerobot.statistics import ImageStatistics, sampled_steps, to_lists
from ambidex.recorders.hdf5.writing import atomic_hdf5_file, write_array
from ambidex.recorders.video.encoder import X264, Encoding, VideoFile

FORMAT_VERSION = 1
GROUP = "/lerobot"  # of the HDF5 file
OTHERS_LACK = ("qvel", "joint_actions", "states")
# Datasets of other programs may lack these, and have actions of more than the joints.
EPISODE_FIELDS = tuple(
    replace(field, may_be_empty=True, per_joint=field.name == "qvel") if field.name in OTHERS_LACK else field
    for field in NAMED_FIELDS
)
NUMBER = "number"  # attribute: of the episode, after which its other files are named
STORAGE = "storage"
IMAGE_STATISTICS = "image_statistics"
KEYFRAME_INTERVAL = 2  # so that a random frame costs two decoded ones at most, as in LeRobot's own videos
# SVT-AV1 writes its settings to stderr unless it is told before it starts that only errors matter.
os.environ.setdefault("SVT_LOG", "1")

# Without B-frames, encoded frames are in the order in which they are shown, so that each has a checksum of its own. Of
# the ALOHA cell, 480x640, H.264 takes 2.8 kB a frame at crf 28, AV1 5.1 kB at 30; they err by 1.8 and 1.5 of 255.
ENCODINGS: Mapping[str, Encoding] = {
    "h264": Encoding(codec="libx264", options={"crf": "28", "bf": "0", **X264}, keyframe_interval=KEYFRAME_INTERVAL),
    "av1": Encoding(
        codec="libsvtav1",
        options={"crf": "30", "preset": "12", "svtav1-params": "lp=1"},
        keyframe_interval=KEYFRAME_INTERVAL,
    ),
}
"""How images are stored, by --storage."""


def write_episode(path: Path, episode: Episode, frames: Frames, storage: str, on_step: OnStep | None = None) -> None:
    """Write the videos of an episode, then its HDF5 file: without it the episode does not exist.

    Arguments and errors as of `DatasetFormat.write`.
    """
    check_fields(path, episode, EPISODE_FIELDS)
    check_cameras(path, episode, frames)
    with atomic_hdf5_file(path) as (file, sink), _videos(path, episode, storage) as videos:
        group = file.create_group(GROUP)
        group.attrs.update(episode_attributes(episode, FORMAT_VERSION, fingerprints(episode)))
        group.attrs.update({NUMBER: np.int64(episode_number(path)), STORAGE: storage})
        for field in EPISODE_FIELDS:
            write_array(group, field.path, getattr(episode, field.name), compressed=field.compressed)
        store_frames(path, episode, frames, VideoImages(episode, group, videos), sink, on_step=on_step)


def fingerprints(episode: Episode, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each field, and of the attributes together; arguments as of `sha256_of_parts`."""
    return sha256_of_parts(episode, {field.path: getattr(episode, field.name) for field in NAMED_FIELDS}, spec)


def video_files(root: Path, number: int, cameras: tuple[str, ...]) -> dict[str, Path]:
    """Camera -> the video of an episode of ours."""
    return {camera: video_file(root, video_key(camera), *chunk_and_file(number)) for camera in cameras}


class VideoImages:
    """Stores the frames of an episode as one video for each camera; an `ImageStorage`.

    Args:
        episode: Has the rate and the number of frames.
        group: Gets a checksum for each encoded frame, and the statistics of the images.
        videos: Camera -> temporary file and its encoder.
    """

    compress: ClassVar[bool] = False

    def __init__(self, episode: Episode, group: h5py.Group, videos: Mapping[str, tuple[Path, VideoFile]]) -> None:
        self._fps, self._group, self._videos = episode.spec.control_hz, group, videos
        self._sampled = sampled_steps(episode.steps)
        self._statistics = {camera: ImageStatistics() for camera in videos}

    def put(self, camera: str, t: int, frame: ImageArray) -> None:
        video = self._videos[camera][1]
        video.image[:] = frame
        video.add()
        if t in self._sampled:
            self._statistics[camera].add(frame)

    def finish(self) -> None:
        for _, video in self._videos.values():
            video.finish()
        checksums = [encoded_checksums(temporary, self._fps) for temporary, _ in self._videos.values()]
        if checksums:
            self._group.create_dataset(IMAGE_CRC32, data=np.stack(checksums), track_times=False)
        statistics = {camera: to_lists(found.result()) for camera, found in self._statistics.items()}
        self._group.attrs[IMAGE_STATISTICS] = json.dumps(statistics)


@contextmanager
def _videos(path: Path, episode: Episode, storage: str) -> Iterator[dict[str, tuple[Path, VideoFile]]]:
    """The videos to fill, which replace earlier ones when the block ends without an error."""
    spec = episode.spec
    with ExitStack() as stack:
        videos = {}
        for camera, target in video_files(root_of(path), episode_number(path), spec.cameras).items():
            temporary = stack.enter_context(replacing(target))
            video = VideoFile(temporary, Fraction(spec.control_hz), *spec.image_size, ENCODINGS[storage])
            stack.callback(video.abandon)
            videos[camera] = temporary, video
        yield videos
