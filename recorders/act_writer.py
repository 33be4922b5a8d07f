"""Writes ACT episodes, frame by frame."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ambidex.atomic_files import replacing
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import Episode, ImageArray
from ambidex.recorders.act_fields import FIELDS, FORMAT_VERSION, IMAGES, Field, fingerprints
from ambidex.recorders.hdf5_seal import append_seal
from ambidex.recorders.hdf5_sink import Hdf5Sink
from ambidex.recorders.image_storage import storage_class

OnStep = Callable[[int, Mapping[str, ImageArray]], None]
LIBVER = "earliest"  # readable by every HDF5


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
    with replacing(path) as temporary, Hdf5Sink(temporary) as sink:
        with h5py.File(sink, "w", libver=LIBVER) as file:
            _write_fields(file, episode, images.compress)
            store = images(file.create_group(IMAGES), episode.spec, episode.steps)
            for t, step in enumerate(_steps(path, episode, frames)):
                for camera, frame in step.items():
                    store.put(camera, t, frame)
                sink.raise_error()  # a full disk: stop before more is rendered
                if on_step is not None:
                    on_step(t, step)
            store.finish()
        append_seal(sink)


def _write_fields(file: h5py.File, episode: Episode, compress: bool) -> None:
    file.attrs.update(_attributes(episode, compress))
    for field in FIELDS:
        _write_field(file, field, getattr(episode, field.name))


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
        "env_spec": json.dumps(spec.to_dict()),
        "model_sha256": episode.model_sha256,
        "versions": json.dumps(dict(episode.versions), sort_keys=True),
        "format_version": np.int64(FORMAT_VERSION),
        "sha256": json.dumps(fingerprints(episode)),
    }


def _write_field(file: h5py.File, field: Field, array: np.ndarray) -> None:
    options = {"chunks": array.shape, "compression": "gzip", "compression_opts": 1} if field.compressed else {}
    file.create_dataset(field.path, data=array, track_times=False, **options)


def _steps(path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]) -> Iterator[dict[str, ImageArray]]:
    sources = {camera: iter(frames[camera]) for camera in episode.spec.cameras}
    for t in range(episode.steps):
        yield {camera: _next_frame(path, episode, camera, t, source) for camera, source in sources.items()}
    for camera, source in sources.items():
        if next(source, None) is not None:
            raise DatasetError(
                f"{path}, camera {camera!r}: more than {episode.steps} frames were given for {episode.steps} "
                "actions. Give one frame per action, taken before it, and none for the last state."
            )


def _next_frame(path: Path, episode: Episode, camera: str, t: int, source: Iterator[ImageArray]) -> ImageArray:
    frame = next(source, None)
    expected = (*episode.spec.image_size, 3)
    if frame is None or frame.shape != expected or frame.dtype != np.uint8:
        got = "no frame" if frame is None else f"{frame.dtype} of shape {frame.shape}"
        raise DatasetError(
            f"{path}, camera {camera!r}, step {t}: got {got}, expected uint8 of shape {expected}. Give one frame "
            f"for each of the {episode.steps} actions in the size of the episode's spec."
        )
    return frame


def _check(path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]) -> None:
    for field in FIELDS:
        array = getattr(episode, field.name)
        field.check(path, array.shape, array.dtype, episode.steps, episode.spec)
    if set(frames) != set(episode.spec.cameras):
        raise DatasetError(
            f"{path}: got frames of the cameras {sorted(frames)}, expected those of the episode's spec, "
            f"{list(episode.spec.cameras)}. Give frames for exactly these."
        )
