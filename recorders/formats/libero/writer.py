"""Writes one demonstration as a LIBERO file of its own, frame by frame."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ambidex.codec import to_json
from ambidex.envs.types import Episode, ImageArray
from ambidex.errors import UnknownNameError, UsageError
from ambidex.recorders.formats.fields import Arrays
from ambidex.recorders.formats.images import STORAGES, ImagePlaces, OnStep, check_cameras, frame_steps, storage_class
from ambidex.recorders.formats.libero.layout import (
    CONVENTIONS,
    DATA,
    FORMAT_VERSION,
    OBSERVATIONS,
    OWN,
    OWN_FIELDS,
    fingerprints,
    image_keys,
)
from ambidex.recorders.formats.libero.proprioception import LiberoProprioception
from ambidex.recorders.formats.libero.scene import LiberoScenery
from ambidex.recorders.hdf5.checksum import sealed_file
from ambidex.recorders.hdf5.sink import write_array

TAG = "libero-v1"
DEMO = "demo_0"
ACTIONS = 7


def write_demo(
    path: Path,
    episode: Episode,
    frames: Mapping[str, Iterable[ImageArray]],
    storage: str,
    proprioception: LiberoProprioception,
    scenery: LiberoScenery,
    *,
    convention: str = "upright",
    on_step: OnStep | None = None,
) -> None:
    """Write a LIBERO file of one demonstration, whole or not at all. The same input gives the same bytes.

    Args:
        path: The file, replaced if it exists.
        episode: Everything but the pixels; recorded under end-effector control.
        frames: Camera -> its T frames, each (H, W, 3) uint8 RGB, upright; see `frame_steps`.
        storage: "lossless" or "raw".
        proprioception: The robot before each action.
        scenery: The task and its world.
        convention: Order of the rows of stored images: "upright", or "opengl" for the lowest first.
        on_step: Called with (t, the frames of step t by camera) after they are stored.

    Raises:
        UsageError: Such a storage or convention does not exist, or the actions are no 7-d actions.
        DatasetError: The fields do not fit together, frames are missing or of the wrong shape, or the disk refuses.
    """
    check_storage(storage, convention)
    _check(path, episode, frames)
    shown = _shown(episode, proprioception, scenery)
    with sealed_file(path) as (file, sink):
        _describe(file.create_group(DATA), episode, scenery, convention)
        demo = file.create_group(f"{DATA}/{DEMO}")
        _write_arrays(demo, episode, shown, scenery)
        store = storage_class(storage)(_places(demo, episode))
        for t, step in enumerate(frame_steps(path, episode, frames)):
            for camera, frame in step.items():
                store.put(camera, t, frame[::-1] if convention == "opengl" else frame)
            sink.raise_error()  # a full disk: stop before more is rendered
            if on_step is not None:
                on_step(t, step)
        store.finish()


def check_storage(storage: str, convention: str) -> None:
    """Raise UsageError unless a LIBERO file can be written so."""
    known = [name for name, kind in STORAGES.items() if not kind.compress]
    if storage in STORAGES and storage not in known:
        raise UsageError(
            f"--storage {storage}: LIBERO's and robomimic's loaders take images as arrays. Take {' or '.join(known)}, "
            "or another --format."
        )
    for kind, name, names in (("storage", storage, known), ("image convention", convention, [*CONVENTIONS])):
        if name not in names:
            raise UnknownNameError(kind, name, names)


def _check(path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]) -> None:
    for field in OWN_FIELDS:
        array = getattr(episode, field.name)
        field.check(path, array.shape, array.dtype, episode.steps, episode.spec)
    check_cameras(path, episode, frames)
    if episode.spec.control != "ee" or episode.ee_actions.shape[1] != ACTIONS:
        raise UsageError(
            f"{path}: the libero format holds {ACTIONS} numbers per action, as sent under ee control; this episode has "
            f"{episode.ee_actions.shape[1]} and was recorded under {episode.spec.control} control. Record with "
            "--control ee, or take --format act."
        )


def _shown(episode: Episode, seen: LiberoProprioception, scenery: LiberoScenery) -> Arrays:
    """What LIBERO's loaders read, by name within the demonstration."""
    ends = np.zeros(episode.steps, np.uint8)
    ends[-1] = episode.success
    return {
        "actions": episode.ee_actions.astype(np.float64),
        "states": episode.states[:-1, : 1 + scenery.positions + scenery.velocities],
        "robot_states": seen.robot_states,
        "rewards": ends,
        "dones": ends,
        f"{OBSERVATIONS}/ee_states": seen.ee_states,
        f"{OBSERVATIONS}/ee_pos": seen.ee_pos,
        f"{OBSERVATIONS}/ee_ori": seen.ee_ori,
        f"{OBSERVATIONS}/gripper_states": seen.gripper_states,
        f"{OBSERVATIONS}/joint_states": seen.joint_states,
    }


def _describe(data: h5py.Group, episode: Episode, scenery: LiberoScenery, convention: str) -> None:
    data.attrs.update(
        {
            "bddl_file_name": scenery.bddl_file_name,
            "bddl_file_content": scenery.bddl_file_content,
            "env_args": scenery.env_args,
            "env_name": scenery.env_name,
            "macros_image_convention": CONVENTIONS[convention],
            "image_convention": convention,
            "num_demos": np.int64(1),
            "problem_info": scenery.problem_info,
            "tag": TAG,
            "total": np.int64(episode.steps),
            "instruction": episode.spec.instruction,
        }
    )


def _write_arrays(demo: h5py.Group, episode: Episode, shown: Arrays, scenery: LiberoScenery) -> None:
    demo.attrs.update(
        {
            "num_samples": np.int64(episode.steps),
            "model_file": scenery.model_file,
            "init_state": shown["states"][0],
        }
    )
    for name, array in shown.items():
        write_array(demo, name, array, compressed=False)
    own = demo.create_group(OWN)
    own.attrs.update(_own_attributes(episode, shown))
    for field in OWN_FIELDS:
        write_array(own, field.path, getattr(episode, field.name), compressed=field.compressed)


def _own_attributes(episode: Episode, shown: Arrays) -> dict[str, Any]:
    return {
        "task": episode.spec.task,
        "seed": np.int64(episode.seed),
        "success": np.bool_(episode.success),
        "outcome": str(episode.outcome),
        "stage": np.int64(episode.stage),
        "instruction": episode.spec.instruction,
        "env_spec": json.dumps(to_json(episode.spec)),
        "model_sha256": episode.model_sha256,
        "versions": json.dumps(dict(episode.versions), sort_keys=True),
        "format_version": np.int64(FORMAT_VERSION),
        "sha256": json.dumps(fingerprints(episode, shown)),
    }


def _places(demo: h5py.Group, episode: Episode) -> ImagePlaces:
    return ImagePlaces(
        group=demo[OBSERVATIONS],
        names=image_keys(episode.spec),
        books=demo[OWN],
        steps=episode.steps,
        image_size=episode.spec.image_size,
    )
