"""A table with objects of given categories on it."""

import mujoco
import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.objects.registry import object_spec

TABLE_TOP = 0.4  # [m]
ELLIPTIC = mujoco.mjtCone.mjCONE_ELLIPTIC


def objects_on_a_table(
    *categories: str, spread: float = 0.0, timestep: float = 0.002, cone: mujoco.mjtCone = ELLIPTIC
) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Body `object<i>_main` and joint `object<i>_joint0` for the i-th category, each standing on the table.

    Args:
        categories: Categories of the objects.
        spread: Distance between neighbours along y [m].
        timestep: Physics step [s].
        cone: Kind of friction cone.
    """
    spec = mujoco.MjSpec()
    spec.option.timestep = timestep
    spec.option.cone = cone
    spec.option.impratio = 10.0 if cone == ELLIPTIC else 1.0
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.5, 0.5, 0.02), pos=(0, 0, TABLE_TOP - 0.02)
    )
    for index, category in enumerate(categories):
        frame = spec.worldbody.add_frame(pos=(0.0, index * spread, TABLE_TOP - object_properties(category).low[2]))
        spec.attach(object_spec(category), frame=frame, prefix=f"object{index}_")
        spec.body(f"object{index}_main").add_freejoint().name = f"object{index}_joint0"
    model = spec.compile()
    return model, mujoco.MjData(model)


def deepest(data: mujoco.MjData) -> float:
    """Depth of the deepest contact [m]."""
    return float(-min(data.contact.dist, default=0.0))


def tilt(data: mujoco.MjData, body: str) -> float:
    """Angle between a body's z axis and the vertical [degrees]."""
    return float(np.degrees(np.arccos(np.clip(data.body(body).xmat[8], -1.0, 1.0))))
