"""Level boxes around geoms, as they are in the world."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class GeomBoxes:
    """One box per geom.

    Attributes:
        low: Lowest corners, shape (N, 3) [m].
        high: Highest corners, shape (N, 3) [m].
    """

    low: FloatArray
    high: FloatArray

    @classmethod
    def around(cls, model: mujoco.MjModel, data: mujoco.MjData, geoms: npt.NDArray[np.intp]) -> "GeomBoxes":
        """Boxes around geoms, whose poses are up to date."""
        aabb = model.geom_aabb[geoms]
        turn = data.geom_xmat[geoms].reshape(-1, 3, 3)
        middle = data.geom_xpos[geoms] + np.einsum("nij,nj->ni", turn, aabb[:, :3])
        half = np.einsum("nij,nj->ni", np.abs(turn), aabb[:, 3:])
        return cls(low=middle - half, high=middle + half)

    def fall(self, below: "GeomBoxes") -> float:
        """How far all of these can sink before one comes to the box of one below [m]; infinite if there is none.

        What is beside or wholly above does not count. Boxes that overlap already give zero.
        """
        low, high = self.low.min(axis=0), self.high.max(axis=0)
        near = ((below.low[:, :2] <= high[:2]) & (below.high[:, :2] >= low[:2])).all(axis=1)
        near &= below.low[:, 2] <= high[2]
        theirs_low, theirs_high = below.low[near], below.high[near]
        over = (self.low[:, None, :2] <= theirs_high[:, :2]) & (self.high[:, None, :2] >= theirs_low[:, :2])
        over = over.all(axis=2) & (theirs_low[:, 2] <= self.high[:, None, 2])
        gaps = self.low[:, None, 2] - theirs_high[:, 2]
        return max(0.0, float(gaps[over].min(initial=np.inf)))
