"""Writes one demonstration as a LIBERO file of its own, frame by frame."""

from pathlib import Path

import h5py
import numpy as np

from ambidex.envs.types import Episode
from ambidex.errors import UsageError, check_name
from ambidex.recorders.formats.fields import NAMED_FIELDS, Arrays, check_fields, episode_attributes
from ambidex.recorders.formats.images import (
    STORAGES,
    Frames,
    ImageLocation,
    OnStep,
    check_cameras,
    storage_class,
    store_frames,
)
from ambidex.recorders.formats.libero.layout import (
    CONVENTIONS,
    DATA,
    FORMAT_VERSION,
    OBSERVATIONS,
    OWN,
    fingerprints,
    image_keys,
)
from ambidex.recorders.formats.libero.proprioception import LiberoProprioception
from ambidex.recorders.formats.libero.scene import LiberoScene
from ambidex.recorders.hdf5.writing import atomic_hdf5_file, write_array

TAG = "libero-v1"
DEMO = "demo_0"
OBSERVED = ("ee_states", "ee_pos", "ee_ori", "gripper_states", "joint_states")  # of `LiberoProprioception`


def write_demo(
    path: Path,
    episode: Episode,
    frames: Frames,
    storage: str,
    robot: LiberoProprioception,
    scene: LiberoScene,
    *,
    convention: str = "upright",
    on_step: OnStep | None = None,
) -> None:
    """Write a LIBERO file of one demonstration, whole or not at all. The same input gives the same bytes.

    Args:
        path: The file, replaced if it exists.
        episode: Everything but the pixels.
        frames: Of the cameras of the episode's spec; taken step by step, see `store_frames`.
        storage: "lossless" or "raw".
        robot: The robot before each action.
        scene: The task and its scene.
        convention: Order of the rows of stored images, a key of `CONVENTIONS`.
        on_step: See `OnStep`.

    Raises:
        UsageError: An unknown storage or convention.
        DatasetError: Fields or frames do not fit together, or the file cannot be written.
    """
    check_storage(storage, convention)
    check_fields(path, episode, NAMED_FIELDS)
    check_cameras(path, episode, frames)
    arrays = _libero_arrays(episode, robot, scene)
    with atomic_hdf5_file(path) as (file, sink):
        _write_attributes(file.create_group(DATA), episode, scene, convention)
        demo = file.create_group(f"{DATA}/{DEMO}")
        _write_arrays(demo, episode, arrays, scene)
        names, bottom_up = image_keys(episode.spec), convention == "opengl"
        location = ImageLocation(episode=episode, group=demo[OBSERVATIONS], names=names, metadata=demo[OWN])
        images = storage_class(storage)(location)
        store_frames(path, episode, frames, images, sink, bottom_up=bottom_up, on_step=on_step)


def check_storage(storage: str, convention: str) -> None:
    """Raise UsageError unless a LIBERO file can be written with this storage and order of image rows."""
    known = [name for name, kind in STORAGES.items() if not kind.compress]
    if storage in STORAGES and storage not in known:
        problem = f"--storage {storage}: LIBERO's and robomimic's loaders cannot decode images."
        raise UsageError(problem, f"Use {' or '.join(known)}, or another --format.", got=storage, expected=tuple(known))
    check_name("storage", storage, known)
    check_name("image convention", convention, CONVENTIONS)


def _libero_arrays(episode: Episode, robot: LiberoProprioception, scene: LiberoScene) -> Arrays:
    """What LIBERO's loaders read, by name within the demonstration."""
    ends = np.zeros(episode.steps, np.uint8)
    ends[-1] = episode.success
    return {
        "actions": episode.actions.astype(np.float64),
        "states": episode.states[:-1, : 1 + scene.nq + scene.nv],
        "robot_states": robot.robot_states,
        "rewards": ends,
        "dones": ends,
        **{f"{OBSERVATIONS}/{name}": getattr(robot, name) for name in OBSERVED},
    }


def _write_attributes(data: h5py.Group, episode: Episode, scene: LiberoScene, convention: str) -> None:
    data.attrs.update(
        {
            "bddl_file_name": scene.bddl_file_name,
            "bddl_file_content": scene.bddl_file_content,
            "env_args": scene.env_args,
            "env_name": scene.env_name,
            "macros_image_convention": CONVENTIONS[convention],
            "image_convention": convention,
            "num_demos": np.int64(1),
            "problem_info": scene.problem_info,
            "tag": TAG,
            "total": np.int64(episode.steps),
            "instruction": episode.spec.instruction,
        }
    )


def _write_arrays(demo: h5py.Group, episode: Episode, arrays: Arrays, scene: LiberoScene) -> None:
    demo.attrs.update(
        {"num_samples": np.int64(episode.steps), "model_file": scene.model_file, "init_state": arrays["states"][0]}
    )
    for name, array in arrays.items():
        write_array(demo, name, array, compressed=False)
    own = demo.create_group(OWN)
    own.attrs.update(episode_attributes(episode, FORMAT_VERSION, fingerprints(episode, arrays)))
    for field in NAMED_FIELDS:
        write_array(own, field.path, getattr(episode, field.name), compressed=field.compressed)
