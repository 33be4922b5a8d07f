"""Small episodes of the libero family, and the rest of their files: random numbers, no simulator."""

import dataclasses
import json

import numpy as np
from synthetic_episode import make_episode, make_frames, make_spec

from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.libero.proprioception import LiberoProprioception
from ambidex.recorders.formats.libero.scene import LiberoScene
from ambidex.recorders.formats.libero.writer import write_demo

NQ, NV = 20, 18
STATE = 70
TASK = "libero_goal/put_the_bowl_on_the_plate"
BDDL = "(define (problem LIBERO_Tabletop_Manipulation))\n"
ACTIONS = ("x", "y", "z", "rx", "ry", "rz", "gripper")
JOINTS = (*(f"robot0_joint{i}" for i in range(1, 8)), "robot0_gripper")


def libero_spec(**changes):
    return make_spec(
        **{
            "task": TASK,
            "family": "libero",
            "robot": "panda",
            "control": "ee",
            "control_hz": 20.0,
            "horizon": 300,
            "cameras": ("agentview", "robot0_eye_in_hand"),
            "instruction": "put the bowl on the plate",
            "action_names": ACTIONS,
            "joint_names": JOINTS,
            "object_names": ("akita_black_bowl_1_main", "plate_1_main"),
            **changes,
        }
    )


def libero_episode(*, steps=6, seed=3, spec=None, **changes):
    rng = np.random.default_rng(seed + 1000)

    def random(*shape):
        return rng.uniform(-1, 1, shape).astype(np.float32)

    arrays = {
        "qpos": random(steps, 8),
        "qvel": random(steps, 8),
        "joint_actions": random(steps, 8),
        "ee_actions": random(steps, 7),
        "states": rng.standard_normal((steps + 1, STATE)),
    }
    return make_episode(steps=steps, seed=seed, spec=spec or libero_spec(), **{**arrays, **changes})


def make_proprioception(steps=6, seed=3):
    rng = np.random.default_rng(seed)
    quaternions = rng.standard_normal((steps, 4))
    return LiberoProprioception(
        gripper_states=rng.uniform(0, 0.04, (steps, 2)),
        joint_states=rng.uniform(-1, 1, (steps, 7)),
        ee_pos=rng.uniform(0, 1, (steps, 3)),
        ee_quat=quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True),
    )


def make_scene(**changes):
    scene = LiberoScene(
        bddl_file_name=f"{TASK}.bddl",
        bddl_file_content=BDDL,
        env_name="Libero_Tabletop_Manipulation",
        env_args=json.dumps({"type": 1, "env_name": "Libero_Tabletop_Manipulation", "env_kwargs": {}}),
        problem_info=json.dumps({"language_instruction": "put the bowl on the plate"}),
        model_file="<mujoco>" + "x" * 100_000 + "</mujoco>",  # longer than HDF5 takes in one piece
        nq=NQ,
        nv=NV,
    )
    return dataclasses.replace(scene, **changes)


def write_libero(path, storage="lossless", *, convention="upright", **changes):
    """Write one demonstration; returns the episode."""
    episode = libero_episode(**changes)
    robot = make_proprioception(episode.steps)
    write_demo(path, episode, make_frames(episode), storage, robot, make_scene(), convention=convention)
    return episode


def write_panda_dataset(folder, *, lengths=(7, 5, 9, 6), **spec):
    """A dataset of the libero family in the act format."""
    spec = libero_spec(**spec)
    for index, steps in enumerate(lengths):
        episode = libero_episode(spec=spec, steps=steps, seed=index)
        write_episode(episode_path(folder, index), episode, make_frames(episode), "lossless")
    write_dataset_info(folder, spec, count=len(lengths), format_name="act")
    return folder


def write_dataset_info(folder, spec, *, count, format_name):
    DatasetInfo(
        env_spec=spec, command="", versions={}, format=format_name, storage="lossless", attempts=count,
        successes=count, failures=0, errors=0, episodes=count, complete=True, timings={},
    ).write(folder)  # fmt: skip
