"""Lets the things of a scene come to rest."""

import mujoco
import numpy as np

from ambidex.envs.scene import Scene

BLOCK_S = 0.05  # between two looks [s]
MAX_BLOCKS = 40
STILL = 2e-5  # no coordinate of a free body moves more than this between two looks [m, or of a quaternion]


def settle(scene: Scene) -> None:
    """Step the physics until nothing moves, then stop everything and let time begin at 0.

    What moves is stopped at every look: things stand, lean or lie within a few looks instead of rocking on. The arm is
    held by its controls.
    """
    model, data = scene.model, scene.data
    steps = round(BLOCK_S / model.opt.timestep)
    for _ in range(MAX_BLOCKS):
        before = data.qpos.copy()
        mujoco.mj_step(model, data, steps)
        data.qvel[:] = 0.0
        if np.abs(data.qpos - before).max() < STILL:
            break
    data.qacc_warmstart[:] = 0.0
    data.time = 0.0
    scene.refresh()
