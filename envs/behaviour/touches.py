"""Which bodies touch in a physics step, what grippers hold, and the forces that robots and held objects exert."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

NOT_ROBOT = -1
BodyPair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Touches:
    """Contacts in one physics step. A body is its id; an object of several bodies is the id of its first one.

    Attributes:
        held: Objects that both fingers of one arm touch.
        in_air: Those of them that touch nothing but robots and other held objects.
        arms_touch: Two arms touch each other.
        largest_force: Largest force [N] between a robot or a held object and another body, see `TouchReader`.
    """

    held: frozenset[int]
    in_air: frozenset[int]
    arms_touch: bool
    largest_force: float


class TouchReader:
    """Reads the contacts of a scene when a physics step has been computed and the next one has not been begun.

    The force between two bodies is the norm of the sum of the forces at all their contacts, normal and friction.
    Those count in which one of the two belongs to an arm or is a held object. Contacts within one arm do not, nor does
    the grip: contacts of a held object with the fingers that hold it.

    Attributes:
        objects: All objects: bodies with a free joint.
    """

    def __init__(self, scene: Scene) -> None:
        model, robot = scene.model, scene.robot
        self._model, self._data = model, scene.data
        free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value
        self.objects = tuple(int(body) for body in model.jnt_bodyid[free])
        names = [model.body(i).name for i in range(model.nbody)]
        self._arm = [next((a for a, p in enumerate(robot.prefixes) if n.startswith(p)), NOT_ROBOT) for n in names]
        self._fingers = [
            tuple(int(model.geom_bodyid[model.geom(geom).id]) for geom in arm.gripper.finger_geoms)
            for arm in robot.arms
        ]
        self._body_of_geom = _owners(model, self.objects)[model.geom_bodyid]
        self._force = np.empty(6)

    def read(self) -> Touches:
        """The contacts of the physics step that has just been computed."""
        contact = self._data.contact
        if not len(contact.geom):
            return Touches(held=frozenset(), in_air=frozenset(), arms_touch=False, largest_force=0.0)
        bodies: list[list[int]] = self._body_of_geom[contact.geom].tolist()
        pairs = {(one, two) for one, two in bodies} | {(two, one) for one, two in bodies}
        grips = {
            (finger, body)
            for fingers in self._fingers
            for body in self.objects
            if all((finger, body) in pairs for finger in fingers)
            for finger in fingers
        }
        held = frozenset(body for _, body in grips)
        arm = self._arm
        supported = {a for a, b in pairs if a in held and arm[b] == NOT_ROBOT and b not in held}
        return Touches(
            held=held,
            in_air=held - supported,
            arms_touch=any(arm[a] != arm[b] and NOT_ROBOT not in (arm[a], arm[b]) for a, b in pairs),
            largest_force=self._largest_force(bodies, held, grips),
        )

    def _largest_force(self, bodies: list[list[int]], held: frozenset[int], grips: set[BodyPair]) -> float:
        chosen = [i for i, (a, b) in enumerate(bodies) if self._counts(a, b, held, grips)]
        return max(map(_norm, self._sums(chosen, bodies)), default=0.0) if chosen else 0.0

    def _counts(self, a: int, b: int, held: frozenset[int], grips: set[BodyPair]) -> bool:
        arm = self._arm
        acts = arm[a] != NOT_ROBOT or arm[b] != NOT_ROBOT or a in held or b in held
        within_arm = arm[a] == arm[b] != NOT_ROBOT
        return acts and not within_arm and (a, b) not in grips and (b, a) not in grips

    def _sums(self, chosen: list[int], bodies: list[list[int]]) -> Iterable[FloatArray]:
        """For each pair of bodies the sum [N] of the forces that the first exerts on the second, shape (3,)."""
        frames = self._data.contact.frame.reshape(-1, 3, 3)
        sums: dict[BodyPair, FloatArray] = defaultdict(lambda: np.zeros(3))
        for index in chosen:
            first, second = bodies[index]
            mujoco.mj_contactForce(self._model, self._data, index, self._force)
            sign = 1.0 if first < second else -1.0
            sums[min(first, second), max(first, second)] += sign * (self._force[:3] @ frames[index])
        return sums.values()


def _norm(vector: FloatArray) -> float:
    return float(np.sqrt(vector @ vector))


def _owners(model: mujoco.MjModel, objects: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """The body that each body counts as, shape (nbody,): the object that it is a part of, or itself."""
    owners = np.arange(model.nbody)
    for body in range(1, model.nbody):  # parents come before their children
        parent = owners[model.body_parentid[body]]
        owners[body] = parent if parent in objects else body
    return owners
