"""The ACT format: one HDF5 file per episode, `episode_0.hdf5` and so on, which the original ACT loader reads.

| path | shape | dtype |
|---|---|---|
| /observations/images/<camera> | (T, H, W, 3) RGB, one frame a chunk | uint8 |
| /observations/qpos, /observations/qvel, /action | (T, J) | float32 |
| /observations/objects | (T, 7 * objects) | float32 |
| /action_ee | (T, E) | float32 |
| /states | (T+1, S) | float64 |
| /stages | (T+1,) | int8 |

Attributes: those of the original (`sim`, `compress`) and `task seed success outcome stage instruction env_spec
model_sha256 versions format_version`, and `sha256` of the fields. `raw` and `jpeg` also have /image_crc32 (cameras, T)
and `jpeg` /compress_len (cameras, T).
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ambidex.atomic_files import link_or_copy
from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import UsageError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.fields import FIELDS, check_fields, episode_attributes, sha256_of_parts
from ambidex.recorders.formats.images import (
    IMAGE_CRC32,
    JPEG_BGR,
    Frames,
    ImageLocation,
    OnStep,
    check_cameras,
    storage_class,
    store_frames,
)
from ambidex.recorders.hdf5.episode import Hdf5Episode, Hdf5Frames
from ambidex.recorders.hdf5.writing import atomic_hdf5_file, write_array

if TYPE_CHECKING:
    from ambidex.envs.env import Environment

FORMAT_VERSION = 2
IMAGES = "/observations/images"


class ActFormat:
    """One HDF5 file per episode, which the original ACT loader reads."""

    root_group = "/observations"
    default_storage = "lossless"

    def check(self, spec: EnvSpec, options: WriteOptions) -> None:
        storage_class(options.storage)
        if options.image_convention != "upright":
            problem = f"--image-convention {options.image_convention}: images of the act format are upright."
            raise UsageError(problem, "Leave the flag out, or use --format libero.", got=options.image_convention)

    def episode_path(self, directory: Path, index: int) -> Path:
        return episode_path(directory, index)

    def find(self, directory: Path) -> dict[int, Path]:
        names = [path.stem.removeprefix("episode_") for path in directory.glob("episode_*.hdf5")]
        indices = sorted(int(name) for name in names if name.isdecimal())
        return {index: episode_path(directory, index) for index in indices}

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def open(self, path: Path) -> StoredEpisode:
        return ActEpisode(path)

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Frames,
        options: WriteOptions,
        env: "Environment | None",
        on_step: OnStep | None = None,
    ) -> None:
        write_episode(path, episode, frames, options.storage, on_step)

    def check_mergeable(self) -> None:
        """No-op: each episode is a file of its own."""

    def gather(self, directory: Path, task: str, episodes: Mapping[int, Path]) -> None:
        for index, path in episodes.items():
            link_or_copy(path, episode_path(directory, index))

    def finish(self, directory: Path, task: str) -> None:
        """No-op: each episode is already a file of its own."""


def episode_path(directory: Path, index: int) -> Path:
    """The file of episode `index` in an ACT dataset."""
    return directory / f"episode_{index}.hdf5"


def write_episode(path: Path, episode: Episode, frames: Frames, storage: str, on_step: OnStep | None = None) -> None:
    """Write one episode file, whole or not at all. The same input gives the same bytes.

    Args:
        path: The file, replaced if it exists.
        episode: Everything but the pixels.
        frames: Of the cameras of the episode's spec; taken step by step, see `store_frames`.
        storage: A key of `STORAGES`.
        on_step: Called with (t, the frames of step t by camera) after they are stored, e.g. to add them to a
            video without rendering them twice. The frames are the caller's own arrays.

    Raises:
        UnknownNameError: An unknown storage.
        DatasetError: Fields or frames do not fit together, or the file cannot be written.
    """
    image_storage = storage_class(storage)
    check_fields(path, episode, FIELDS)
    check_cameras(path, episode, frames)
    with atomic_hdf5_file(path) as (file, sink):
        file.attrs.update({"sim": np.bool_(True), "compress": np.bool_(image_storage.compress)})
        file.attrs.update(episode_attributes(episode, FORMAT_VERSION, fingerprints(episode)))
        for field in FIELDS:
            write_array(file, field.path, getattr(episode, field.name), compressed=field.compressed)
        names, group = {camera: camera for camera in episode.spec.cameras}, file.create_group(IMAGES)
        images = image_storage(ImageLocation(episode=episode, group=group, names=names, metadata=file))
        store_frames(path, episode, frames, images, sink, on_step=on_step)


class ActEpisode(Hdf5Episode):
    """An open episode file, of any storage."""

    _fields = FIELDS
    _format_version = FORMAT_VERSION

    def __init__(self, path: Path) -> None:
        super().__init__(path, file=path, group="/")

    def _stored_frames(self) -> Hdf5Frames:
        source = self._source
        return Hdf5Frames(
            datasets={camera: source.dataset(f"{IMAGES}/{camera}") for camera in self.cameras},
            checksums=source.array(IMAGE_CRC32) if source.has(IMAGE_CRC32) else None,
            encoded=bool(self._attribute("compress", np.bool_)),
            bottom_up=False,
            bgr=source.has_attribute(JPEG_BGR),
        )

    def _fingerprints(self, episode: Episode, names: Collection[str], spec: Mapping[str, object]) -> dict[str, str]:
        return fingerprints(episode, spec)


def fingerprints(episode: Episode, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each field, and of the attributes together; arguments as of `sha256_of_parts`."""
    return sha256_of_parts(episode, {field.path: getattr(episode, field.name) for field in FIELDS}, spec)
