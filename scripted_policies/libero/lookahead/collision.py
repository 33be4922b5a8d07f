"""Checks for collisions of the arm or of an object at other poses, in a copy of the world."""

import copy
from collections.abc import Iterable
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError

PENETRATION = 0.0008  # deeper contact counts as a collision [m]
MARGIN = 0.007  # distance that arm and palm keep from everything; the fingers keep none [m]
MASK_BITS = 8  # of contype and of conaffinity

Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.int32]


class CollisionChecker:
    """A copy of a scene's world in which poses are tried. Call `sync` after the world has changed.

    Attributes:
        model: Model of the copy.
        data: State of the copy.
        queries: Number of collision queries since the last `sync`.
        version: Changes when anything is moved except the object that was placed last.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self.model = copy.deepcopy(scene.model)
        self._original = scene.model
        self._live, self.data = scene.data, mujoco.MjData(model)
        self._joints = np.array([int(model.joint(name).qposadr[0]) for name in arm.joints])
        fingers = [model.joint(name) for name in (arm.gripper.joint, arm.gripper.mirror_joint)]
        self._fingers = [int(finger.qposadr[0]) for finger in fingers]
        self._signs = [1.0 if abs(finger.range[1]) > abs(finger.range[0]) else -1.0 for finger in fingers]
        self._roots = model.body_rootid[model.geom_bodyid]
        self._solid = np.asarray((model.geom_contype != 0) | (model.geom_conaffinity != 0))
        self._robot = robot_geoms(model, arm)
        self._arm = np.asarray((model.body_weldid[model.geom_bodyid] != 0) & self._robot)
        finger_bodies = {int(model.geom(name).bodyid[0]) for name in arm.gripper.finger_geoms}
        self._with_margin = self._arm & ~np.isin(model.geom_bodyid, list(finger_bodies))
        model.geom_margin[self._with_margin] = MARGIN
        self._masks: dict[str, Mask] = {}
        self._addresses: dict[str, int] = {}
        self._filters: dict[tuple[str, ...], CollisionFilter] = {}
        self._applied: CollisionFilter | None = None
        self._caches: list[dict[Any, Any]] = []
        self.version = 0
        self.sync()

    def sync(self) -> None:
        """Copy the present state of the world, and empty the caches that depend on it."""
        self.queries = 0
        self._changed("")
        for cache in self._caches:
            cache.clear()
        mujoco.mj_copyData(self.data, self.model, self._live)

    def new_cache(self) -> dict[Any, Any]:
        """A dictionary that `sync` empties."""
        self._caches.append({})
        return self._caches[-1]

    def place(self, obj: str, pose: Pose) -> None:
        """Put an object somewhere in the copy."""
        if obj not in self._addresses:
            self._addresses[obj] = int(self.model.joint(free_joint_name(obj)).qposadr[0])
        address = self._addresses[obj]
        self.data.qpos[address : address + 3] = pose.position
        self.data.qpos[address + 3 : address + 7] = pose.quaternion
        if obj != self._placed:
            self._changed(obj)

    def set_joint(self, joint: str, position: float) -> None:
        """Move the joint of a drawer, door or knob in the copy [m or rad]."""
        self.data.joint(joint).qpos = position
        self._changed("")

    def update_poses(self) -> None:
        """Compute the poses of bodies and regions in the copy from its joint positions."""
        mujoco.mj_kinematics(self.model, self.data)

    def arm_collides(
        self,
        joints: FloatArray,
        gap: float,
        *,
        carried: str | None = None,
        ignored: Iterable[str] = (),
        cautious: bool = True,
    ) -> bool:
        """Whether the arm, or the object that it carries, penetrates anything.

        Args:
            joints: Joints of the arm, shape (7,) [rad].
            gap: Distance between the finger pads [m].
            carried: An object that counts as part of the hand.
            ignored: Objects that do not count.
            cautious: Arm and palm also have to keep a margin from everything.
        """
        self.data.qpos[self._joints] = joints
        for address, sign in zip(self._fingers, self._signs, strict=True):
            self.data.qpos[address] = sign * gap / 2
        self._find_contacts(self._arm_filter(carried, tuple(ignored)))
        if not self.data.ncon:
            return False
        contact = self.data.contact
        near = contact.dist < (MARGIN if cautious else -PENETRATION)
        with_margin = self._with_margin[contact.geom].any(axis=1)
        return bool((near & (with_margin | (contact.dist < -PENETRATION))).any())

    def object_collides(self, obj: str, pose: Pose) -> bool:
        """Whether an object at a pose penetrates anything except the robot."""
        self.place(obj, pose)
        self._find_contacts(self.object_filter(obj))
        return bool(self.data.ncon) and bool((self.data.contact.dist < 0.0).any())

    def object_filter(self, obj: str) -> "CollisionFilter":
        """An object on one side, everything else except the robot on the other."""
        key = ("object", obj)
        if key not in self._filters:
            own = self.geoms_of(obj)
            others = self._solid & ~(self._robot | own)
            self._filters[key] = CollisionFilter(self._original, own & self._solid, others)
        return self._filters[key]

    def geoms_of(self, obj: str) -> Mask:
        """Mask of an object's geoms, shape (geoms,)."""
        if obj not in self._masks:
            self._masks[obj] = np.asarray(self._roots == self.model.body(body_name(obj)).id)
        return self._masks[obj]

    def _arm_filter(self, carried: str | None, ignored: tuple[str, ...]) -> "CollisionFilter":
        """The arm and its load on one side, everything else except the robot and what is ignored on the other."""
        key = ("arm", carried or "", *ignored)
        if key not in self._filters:
            own = self._arm | self.geoms_of(carried) if carried else self._arm
            excluded = self._robot | own
            for obj in ignored:
                excluded = excluded | self.geoms_of(obj)
            self._filters[key] = CollisionFilter(self._original, own, ~excluded)
        return self._filters[key]

    def _find_contacts(self, sides: "CollisionFilter") -> None:
        if sides is not self._applied:
            sides.apply(self.model)
            self._applied = sides
        self.queries += 1
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_collision(self.model, self.data)

    def _changed(self, placed: str) -> None:
        """Count a change; the object placed last, if any, can move on without being counted."""
        self.version += 1
        self._placed = placed


class CollisionFilter:
    """Two sets of geoms. Only contacts between them are computed, which makes a query fast.

    They collide where the model with its original masks lets them.

    Attributes:
        own: Geoms of one side, shape (geoms,).
        others: Geoms of the other side, shape (geoms,).

    Raises:
        UsageError: A mask of the model has more than MASK_BITS bits; facts `geom`, `contype` and `conaffinity`.
    """

    def __init__(self, model: mujoco.MjModel, own: Mask, others: Mask) -> None:
        _check_masks(model)
        self.own, self.others = own, others
        # A pair collides if contype and conaffinity match in either direction: one mask holds both, side by side.
        one = own * (model.geom_contype | model.geom_conaffinity << MASK_BITS)
        other = others * (model.geom_conaffinity | model.geom_contype << MASK_BITS)
        self._masks = one, other, _body_masks(model, one), _body_masks(model, other)

    def apply(self, model: mujoco.MjModel) -> None:
        """Restrict collisions in a model to those between the two sides."""
        model.geom_contype[:], model.geom_conaffinity[:], model.body_contype[:], model.body_conaffinity[:] = self._masks


def _check_masks(model: mujoco.MjModel) -> None:
    out_of_range = (model.geom_contype | model.geom_conaffinity) >> MASK_BITS != 0  # true of negative masks too
    if out_of_range.any():
        geom = model.geom(int(np.argmax(out_of_range)))
        raise UsageError(
            f"Geom {geom.id} ({geom.name or 'no name'}) of body {model.body(geom.bodyid[0]).name} has contype "
            f"{geom.contype[0]} and conaffinity {geom.conaffinity[0]}; the expert supports 0 to {2**MASK_BITS - 1} "
            f"(out of range: {out_of_range.sum()} of {model.ngeom} geoms).",
            "Change the masks in the model, or run this task without its expert.",
            geom=geom.name,
            contype=int(geom.contype[0]),
            conaffinity=int(geom.conaffinity[0]),
        )


def _body_masks(model: mujoco.MjModel, geom_masks: Bits) -> Bits:
    """For each body the union of the masks of its geoms."""
    bodies = np.zeros(model.nbody, np.int32)
    np.bitwise_or.at(bodies, model.geom_bodyid, geom_masks.astype(np.int32))
    return bodies


def robot_geoms(model: mujoco.MjModel, arm: Arm) -> Mask:
    """Mask of the geoms of the robot that an arm belongs to, its mount included, shape (geoms,)."""
    root = model.body_rootid[model.jnt_bodyid[model.joint(arm.joints[0]).id]]
    return np.asarray(model.body_rootid[model.geom_bodyid] == root)
