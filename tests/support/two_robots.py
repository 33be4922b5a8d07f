"""Checkpoints of small UniAct policies with several embodiments and random weights."""

import numpy as np
import torch
from uniact_samples import make_config

from ambidex.envs.env import make
from ambidex.policies.checkpoint import save
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.uniact.policy import UniActPolicy

TASKS = {"transfer_cube": "top", "libero_goal/1": "agentview"}


def robot_of(task, camera, control=None):
    """Spec, and statistics of actions around the initial state."""
    env = make(task, control=control, cameras=(camera,), image_size=(32, 32))
    first, spec = env.reset(0), env.spec
    env.close()
    rng = np.random.default_rng(0)
    fields = []
    for size, centre in (
        (len(first.qpos), first.qpos),
        (len(first.objects), first.objects),
        (len(spec.action_names), first.qpos if spec.control == "joint" else 0.0),
    ):
        fields.append(FieldStatistics.of((centre + rng.normal(0, 0.3, (50, size))).astype(np.float32)))
    return spec, Statistics(qpos=fields[0], objects=fields[1], actions=fields[2])


def write_two_robots(folder, **changes):
    """A checkpoint with two robots and 16 codes; tasks and cameras are those of `TASKS`."""
    return _write(folder, [robot_of(task, camera) for task, camera in TASKS.items()], changes)


def write_two_controls(folder, *further):
    """A checkpoint with one robot in two control modes, "joint" first, and the robots of further tasks."""
    both = [robot_of("transfer_cube", "top", control) for control in ("joint", "ee")]
    return _write(folder, [*both, *(robot_of(task, TASKS[task]) for task in further)], {})


def _write(folder, robots, changes):
    torch.manual_seed(0)
    (spec, own), *further = robots
    config = make_config(**changes)
    policy = UniActPolicy(config, spec, own)
    for other, statistics in further:
        policy.add_embodiment(other, statistics)
    return save(folder, policy, config, [own, *(statistics for _, statistics in further)], step=1)
