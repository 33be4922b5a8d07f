"""Writes ACT episodes, frame by frame."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ambidex.envs.types import Episode, ImageArray
from ambidex.recorders.act_fields import FIELDS, FORMAT_VERSION, IMAGES, fingerprints
from ambidex.recorders.frame_steps import OnStep, check_cameras, frame_steps
from ambidex.recorders.hdf5_array import write_array
from ambidex.recorders.image_places import ImagePlaces
from ambidex.recorders.image_storage import storage_class
from ambidex.recorders.sealed_file import sealed_file


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
        "env_spec": json.dumps(spec.to_dict()),
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
