"""Which bodies touch in a physics step, what grippers hold, and the forces that robots and held objects exert."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

NOT_ROBOT = -1
BodyPair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Touches:
    """What touches what in one physics step. A body is its id; an object of several bodies is the id of its first one.

    Attributes:
        held: Objects that both fingers of one arm touch.
        in_air: Those of them that touch nothing but robots and other held objects.
        arms_touch: Two arms touch each other.
        pushes: Pair of bodies whose force counts, see `TouchReader.largest_force` -> index of each of their contacts,
            with 1 if the first geom of the contact is of the first body, else -1.
    """

    held: Set[int] = frozenset()
    in_air: Set[int] = frozenset()
    arms_touch: bool = False
    pushes: Mapping[BodyPair, Sequence[tuple[int, float]]] = field(default_factory=dict)


class TouchReader:
    """Reads the contacts of a scene when a physics step has been computed and the next one has not been begun.

    Attributes:
        objects: All objects: bodies with a free joint.
    """

    def __init__(self, scene: Scene) -> None:
        model, robot = scene.model, scene.robot
        self._model, self._data = model, scene.data
        self.objects = frozenset(model.jnt_bodyid[model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value].tolist())
        self._body_of_geom: list[int] = _owners(model, self.objects)[model.geom_bodyid].tolist()
        names = [model.body(i).name for i in range(model.nbody)]
        self._arm = [next((a for a, p in enumerate(robot.prefixes) if n.startswith(p)), NOT_ROBOT) for n in names]
        self._fingers = [
            [int(model.geom_bodyid[model.geom(geom).id]) for geom in arm.gripper.finger_geoms] for arm in robot.arms
        ]
        self._force = np.empty(6)
        self._geoms, self._touches = b"", Touches()

    def read(self) -> Touches:
        """What touches what in the physics step that has just been computed."""
        geoms = self._data.contact.geom
        if (found := geoms.tobytes()) != self._geoms:  # most steps have the contacts of the step before
            self._geoms, self._touches = found, self._sorted(geoms.tolist())
        return self._touches

    def largest_force(self) -> float:
        """The largest force [N] between an arm or a held object and another body in that step.

        It is the norm of the sum of the forces, normal and friction, at all contacts of two bodies. Contacts within
        one arm do not count, nor does the grip: contacts of a held object with the fingers that hold it.
        """
        pushes = self.read().pushes.values()
        return max((self._norm_of_sum(contacts) for contacts in pushes), default=0.0)

    def _norm_of_sum(self, contacts: Sequence[tuple[int, float]]) -> float:
        total = sum((sign * self._force_at(index) for index, sign in contacts), np.zeros(3))
        return math.hypot(*total.tolist())

    def _force_at(self, index: int) -> FloatArray:
        """The force [N] that the second geom of a contact exerts on the first, or the other way round, shape (3,)."""
        mujoco.mj_contactForce(self._model, self._data, index, self._force)
        return np.asarray(self._force[:3] @ self._data.contact[index].frame.reshape(3, 3))

    def _sorted(self, geoms: Sequence[Sequence[int]]) -> Touches:
        arm, contacts = self._arm, [(self._body_of_geom[a], self._body_of_geom[b]) for a, b in geoms]
        pairs = {(min(pair), max(pair)) for pair in contacts}
        grips = self._grips(pairs)
        held = {body for grip in grips for body in grip if body in self.objects}
        pushes: dict[BodyPair, list[tuple[int, float]]] = defaultdict(list)
        for index, (a, b) in enumerate(contacts):
            pair, sign = ((a, b), 1.0) if a < b else ((b, a), -1.0)
            if pair not in grips and self._counts(pair, held):
                pushes[pair].append((index, sign))
        return Touches(
            held=held,
            in_air=held - self._supported(pairs, held),
            arms_touch=any(arm[a] != arm[b] and NOT_ROBOT not in (arm[a], arm[b]) for a, b in pairs),
            pushes=pushes,
        )

    def _grips(self, pairs: Set[BodyPair]) -> set[BodyPair]:
        """Pairs of a held object and a finger that holds it, the lower id first."""
        grips: set[BodyPair] = set()
        for fingers in self._fingers:
            for body in self.objects:
                grip = {(min(body, finger), max(body, finger)) for finger in fingers}
                grips |= grip if grip <= pairs else set()
        return grips

    def _supported(self, pairs: Set[BodyPair], held: Set[int]) -> set[int]:
        """Bodies that touch another one which is neither a robot nor held."""
        supports = {body for pair in pairs for body in pair if self._arm[body] == NOT_ROBOT and body not in held}
        return {a for a, b in pairs if b in supports} | {b for a, b in pairs if a in supports}

    def _counts(self, pair: BodyPair, held: Set[int]) -> bool:
        one, other = (self._arm[body] for body in pair)
        return one != other or (one == NOT_ROBOT and not held.isdisjoint(pair))


def _owners(model: mujoco.MjModel, objects: Set[int]) -> npt.NDArray[np.intp]:
    """The body that each body counts as, shape (nbody,): the object that it is a part of, or itself."""
    owners = np.arange(model.nbody)
    for body in range(1, model.nbody):  # parents come before their children
        parent = int(owners[model.body_parentid[body]])
        owners[body] = parent if parent in objects else body
    return owners
