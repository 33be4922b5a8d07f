"""What an object would stand in, if it were put somewhere."""

import mujoco
import numpy as np

from ambidex.envs.pose import Pose
from ambidex.envs.scene import Scene
from ambidex.envs.tasks.libero.model_world import body_name

RISE, FINE = 0.002, 0.00025  # steps of lifting a thing out of what it stands in, and of lowering it again [m]
REACH = 0.25  # how far it may be lifted [m]
DEPTH = 0.0002  # penetration that contacts need to carry weight [m]


class Clearance:
    """Says what the objects of a scene are in, where they are or where they might be put.

    Args:
        scene: Its state is written to; whoever uses this refreshes it afterwards.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene, self._model, self._data = scene, scene.model, scene.data
        model = scene.model
        self._roots = model.body_rootid[model.geom_bodyid]

    def neighbours(self, thing: str) -> set[str]:
        """What the object is inside of, by its name; the workspace aside."""
        names = (self._model.body(root).name for root in self._others(thing, 0.0) if root != 0)
        return {name.removesuffix(body_name("")) for name in names}

    def raise_until_free(self, thing: str, lowest: Pose) -> Pose | None:
        """The lowest pose at or above `lowest` in which the object is in nothing; None if there is none in reach."""
        rise = next((r for r in np.arange(0.0, REACH, RISE) if self._is_free(thing, lowest, r)), None)
        if rise is None:
            return None
        while rise > 0.0 and self._is_free(thing, lowest, rise - FINE):
            rise -= FINE
        return lowest.shifted((0.0, 0.0, rise))

    def _is_free(self, thing: str, lowest: Pose, rise: float) -> bool:
        self._scene.place(body_name(thing), lowest.shifted((0.0, 0.0, rise)))
        return not self._others(thing, DEPTH)

    def _others(self, thing: str, depth: float) -> set[int]:
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)
        contact = self._data.contact
        pairs = self._roots[contact.geom[contact.dist < -depth]]
        mine = self._model.body(body_name(thing)).id
        touched = pairs[(pairs == mine).any(axis=1)]
        return set(touched[touched != mine].tolist())
