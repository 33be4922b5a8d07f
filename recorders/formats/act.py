"""The ACT episode format: one HDF5 file per episode that the original ACT loader reads.

| path | shape | dtype |
|---|---|---|
| /observations/images/<camera> | (T, H, W, 3) RGB, one frame a chunk | uint8 |
| /observations/qpos, /observations/qvel, /action | (T, J) | float32 |
| /observations/objects | (T, 7 * objects) | float32 |
| /action_ee | (T, E) | float32 |
| /states | (T+1, S) | float64 |
| /stages | (T+1,) | int8 |

Attributes: what the original has (`sim`, `compress`) and `task seed success outcome stage instruction env_spec
model_sha256 versions format_version`, and `sha256` of the fields. `raw` and `jpeg` also have /image_crc32 (cameras, T)
and `jpeg` /compress_len (cameras, T).
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ambidex.codec import to_json
from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import UsageError
from ambidex.recorders.dataset.episode import StoredEpisode, StoredFrames
from ambidex.recorders.dataset.layout import Layout
from ambidex.recorders.formats.fields import Field, digests
from ambidex.recorders.formats.images import IMAGE_CRC32, ImagePlaces, OnStep, check_cameras, frame_steps, storage_class
from ambidex.recorders.hdf5.checksum import sealed_file
from ambidex.recorders.hdf5.sink import write_array

if TYPE_CHECKING:
    from ambidex.envs.env import Environment


# FOLDED recorders.act_format: The ACT format as one of several: `episode_0.hdf5`, `episode_1.hdf5`, ... in the dataset's folder.


def episode_path(directory: Path, index: int) -> Path:
    """Where episode `index` of an ACT dataset lies."""
    return directory / f"episode_{index}.hdf5"


class ActFormat:
    """One HDF5 file per episode, which the original ACT loader reads; recorders/formats/act.py has the layout."""

    mark = "/observations"

    def check(self, spec: EnvSpec, layout: Layout) -> None:
        storage_class(layout.storage)
        if layout.image_convention != "upright":
            raise UsageError(
                f"--image-convention {layout.image_convention}: images of the act format are upright. Leave the flag "
                "out, or take --format libero."
            )

    def episode_path(self, directory: Path, index: int) -> Path:
        return episode_path(directory, index)

    def find(self, directory: Path) -> dict[int, Path]:
        names = [path.stem.removeprefix("episode_") for path in directory.glob("episode_*.hdf5")]
        indices = sorted(int(name) for name in names if name.isdecimal())
        return {index: episode_path(directory, index) for index in indices}

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def open(self, path: Path) -> StoredEpisode:
        return EpisodeFile(path)

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Mapping[str, Iterable[ImageArray]],
        layout: Layout,
        env: "Environment",
        on_step: OnStep | None = None,
    ) -> None:
        write_episode(path, episode, frames, layout.storage, on_step)

    def finish(self, directory: Path, task: str) -> None:
        """Nothing is left to do."""


# FOLDED recorders.act_fields: What an ACT episode file holds besides pixels; the writer and the reader share this table.

FORMAT_VERSION = 2
IMAGES = "/observations/images"

FIELDS: tuple[Field, ...] = (
    Field(path="/action", name="joint_actions", dtype="float32", per_joint=True),
    Field(path="/observations/qpos", name="qpos", dtype="float32", per_joint=True),
    Field(path="/observations/qvel", name="qvel", dtype="float32", per_joint=True),
    Field(path="/observations/objects", name="objects", dtype="float32", may_be_empty=True),
    Field(path="/action_ee", name="ee_actions", dtype="float32", may_be_empty=True),
    Field(path="/states", name="states", dtype="float64", extra_rows=1, compressed=True),
    Field(path="/stages", name="stages", dtype="int8", extra_rows=1, dimensions=1),
)


def fingerprints(episode: Episode, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each field, and of the attributes together; see `digests`.

    Args:
        episode: Its arrays and attributes.
        spec: The spec as the file has it; None for the episode's own.
    """
    return digests(episode, {field.path: getattr(episode, field.name) for field in FIELDS}, spec)


# FOLDED recorders.act_writer: Writes ACT episodes, frame by frame.


def write_episode(
    path: Path,
    episode: Episode,
    frames: Mapping[str, Iterable[ImageArray]],
    storage: str,
    on_step: OnStep | None = None,
) -> None:
    """Write one episode file, whole or not at all. The same input gives the same bytes.

    Args:
        path: The file, replaced if it exists.
        episode: Everything but the pixels.
        frames: Camera -> its T frames, each (H, W, 3) uint8 RGB; the cameras are those of the episode's spec.
            They are taken step by step: frame t of every camera in the spec's order, then t + 1; so generators
            that render on demand load each state once and no more than one step is held.
        storage: "lossless", "jpeg" or "raw".
        on_step: Called with (t, the frames of step t by camera) after they are stored, e.g. to add them to a
            video without rendering them twice. The frames are the caller's own arrays.

    Raises:
        UnknownNameError: An unknown storage.
        DatasetError: The fields do not fit together, frames are missing or of the wrong shape, or the disk
            refuses.
    """
    images = storage_class(storage)
    _check(path, episode, frames)
    with sealed_file(path) as (file, sink):
        _write_fields(file, episode, images.compress)
        store = images(_places(file, episode))
        for t, step in enumerate(frame_steps(path, episode, frames)):
            for camera, frame in step.items():
                store.put(camera, t, frame)
            sink.raise_error()  # a full disk: stop before more is rendered
            if on_step is not None:
                on_step(t, step)
        store.finish()


def _places(file: h5py.File, episode: Episode) -> ImagePlaces:
    return ImagePlaces(
        group=file.create_group(IMAGES),
        names={camera: camera for camera in episode.spec.cameras},
        books=file,
        steps=episode.steps,
        image_size=episode.spec.image_size,
    )


def _write_fields(file: h5py.File, episode: Episode, compress: bool) -> None:
    file.attrs.update(_attributes(episode, compress))
    for field in FIELDS:
        write_array(file, field.path, getattr(episode, field.name), compressed=field.compressed)


def _attributes(episode: Episode, compress: bool) -> dict[str, Any]:
    spec = episode.spec
    return {
        "sim": np.bool_(True),
        "compress": np.bool_(compress),
        "task": spec.task,
        "seed": np.int64(episode.seed),
        "success": np.bool_(episode.success),
        "outcome": str(episode.outcome),
        "stage": np.int64(episode.stage),
        "instruction": spec.instruction,
        "env_spec": json.dumps(to_json(spec)),
        "model_sha256": episode.model_sha256,
        "versions": json.dumps(dict(episode.versions), sort_keys=True),
        "format_version": np.int64(FORMAT_VERSION),
        "sha256": json.dumps(fingerprints(episode)),
    }


def _check(path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]) -> None:
    for field in FIELDS:
        array = getattr(episode, field.name)
        field.check(path, array.shape, array.dtype, episode.steps, episode.spec)
    check_cameras(path, episode, frames)


# FOLDED recorders.act_reader: Reads ACT episodes: fields at once, frames by random access.


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
