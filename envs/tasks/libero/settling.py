"""Lets the things of a scene come to rest."""

import mujoco
import numpy as np

from ambidex.envs.scene import Scene
from ambidex.envs.types import FloatArray
from ambidex.errors import SimulationError

BLOCK_S = 0.05  # between two looks [s]
MAX_BLOCKS = 40  # LIBERO's scenes need four
STILL = 2e-5  # nothing moves more than this between two looks [m or rad, or of a quaternion]


def settle(scene: Scene) -> None:
    """Step the physics until nothing moves, then stop everything and let time begin at 0.

    What moves is stopped at every look: things stand, lean or lie within a few looks instead of rocking on. The arm is
    held by its controls.

    Raises:
        SimulationError: Something does not come to rest; says what.
    """
    model, data = scene.model, scene.data
    steps = round(BLOCK_S / model.opt.timestep)
    moved = np.full(model.nq, np.inf)
    for _ in range(MAX_BLOCKS):
        before = data.qpos.copy()
        mujoco.mj_step(model, data, steps)
        data.qvel[:] = 0.0
        moved = np.abs(data.qpos - before)
        if moved.max() <= STILL:
            break
    else:
        raise _restless(scene, moved)
    data.qacc_warmstart[:] = 0.0
    scene.restart_clock()
    scene.refresh()


def _restless(scene: Scene, moved: FloatArray) -> SimulationError:
    model = scene.model
    joint = int(np.searchsorted(model.jnt_qposadr, moved.argmax(), side="right")) - 1
    return SimulationError(
        f"{scene.task.name}: {model.body(model.jnt_bodyid[joint]).name} does not come to rest within "
        f"{MAX_BLOCKS * BLOCK_S:.0f} s of simulated time. It may start beyond the table's edge, or on something that "
        "does not hold it. Start it elsewhere in the definition."
    )
