"""Properties of every initial state."""

import numpy as np

from ambidex.envs.env import Environment

MAX_PENETRATION = 0.001  # [m]
MAX_TILT = np.radians(3.0)
MAX_DRIFT = 1e-4  # of any object within the first steps [m, or of a quaternion]


def assert_valid(env: Environment, seed: int, idle_steps: int) -> None:
    """All objects are upright, at rest and without overlap, and the goal is not reached."""
    where = f"{env.spec.task}, seed {seed}"
    first = env.reset(seed)
    data, names = env.scene.data, env.spec.object_names
    assert data.time == 0.0 and not data.qvel.any(), where
    assert data.ncon and -data.contact.dist.min() <= MAX_PENETRATION, where
    poses = first.objects.reshape(len(names), 7)
    tilts = 2.0 * np.arcsin(np.minimum(1.0, np.hypot(poses[:, 4], poses[:, 5])))
    assert tilts.max() <= MAX_TILT, (where, names[int(tilts.argmax())])
    assert not all(held for name, held in env.task.checks(env.scene).items() if "(" in name), where
    for _ in range(idle_steps):
        step = env.step(env.controller.idle(env.scene))
    moved = np.abs(step.observation.objects - first.objects).reshape(len(names), 7).max(axis=1)
    assert moved.max() <= MAX_DRIFT, (where, names[int(moved.argmax())])
    assert not step.success, where
