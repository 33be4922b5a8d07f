"""What stands where on the table, as rectangles (xmin, ymin, xmax, ymax) in the world [m]."""

from collections.abc import Iterable

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.contacts import subtree_geoms
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

TABLE = "table"


def colliding_geoms(model: mujoco.MjModel, bodies: Iterable[str]) -> npt.NDArray[np.intp]:
    """Geoms of these bodies, and of all below them, that collide, shape (n,)."""
    geoms = np.zeros(model.ngeom, bool)
    for body in bodies:
        geoms |= subtree_geoms(model, body)
    return np.flatnonzero(geoms & (model.geom_contype != 0))


def footprints(model: mujoco.MjModel, data: mujoco.MjData, geoms: npt.NDArray[np.intp]) -> FloatArray:
    """The rectangle of each geom, shape (n, 4)."""
    middle, half = np.split(model.geom_aabb[geoms], 2, axis=1)
    rotation = data.geom_xmat[geoms].reshape(-1, 3, 3)
    centre = data.geom_xpos[geoms] + np.einsum("nij,nj->ni", rotation, middle)
    reach = np.einsum("nij,nj->ni", np.abs(rotation), half)
    return np.hstack([(centre - reach)[:, :2], (centre + reach)[:, :2]])


def table_area(scene: Scene) -> FloatArray:
    """The rectangle (4,) of the table; without limits for a floor."""
    model = scene.model
    table = model.geom(TABLE).id
    if model.geom_type[table] == mujoco.mjtGeom.mjGEOM_PLANE.value:
        return np.array([-np.inf, -np.inf, np.inf, np.inf])
    return np.asarray(footprints(model, scene.data, np.array([table]))[0])


def distances(points: FloatArray, rectangles: FloatArray) -> FloatArray:
    """Distance [m] of each point (N, 2) from each rectangle (M, 4), 0 within it, shape (N, M)."""
    below, above = rectangles[:, :2] - points[:, None], points[:, None] - rectangles[:, 2:]
    return np.asarray(np.linalg.norm(np.maximum(0.0, np.maximum(below, above)), axis=-1))
