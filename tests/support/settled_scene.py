"""Properties of every initial state."""

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import rotation_matrix
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray

MAX_PENETRATION = 0.001  # [m]
MAX_TILT = np.radians(3.0)
MAX_DRIFT = 1e-4  # of any object within the first steps [m, or of a quaternion]


def tilt(category: str, quaternion: FloatArray) -> float:
    """Angle between the axis of an object that is up initially and the vertical [rad]."""
    up = rotation_matrix(np.array(object_properties(category).initial_orientation))[2]
    return float(np.arccos(min(1.0, rotation_matrix(np.asarray(quaternion, np.float64))[2] @ up)))


def assert_valid(env: Environment, seed: int, idle_steps: int) -> None:
    """All objects are upright, at rest and without overlap, and the goal is not reached."""
    where = f"{env.spec.task}, seed {seed}"
    first = env.reset(seed)
    data, names = env.scene.data, env.spec.object_names
    assert data.time == 0.0 and not data.qvel.any(), where
    assert data.ncon and -data.contact.dist.min() <= MAX_PENETRATION, where
    for name, category in env.task.problem.objects.items():
        assert tilt(category, env.scene.body_pose(body_name(name)).quaternion) <= MAX_TILT, (where, name)
    assert not all(held for name, held in env.task.checks(env.scene).items() if "(" in name), where
    for _ in range(idle_steps):
        step = env.step(env.controller.idle(env.scene))
    moved = np.abs(step.observation.objects - first.objects).reshape(len(names), 7).max(axis=1)
    assert moved.max() <= MAX_DRIFT, (where, names[int(moved.argmax())])
    assert not step.success, where
