"""What would touch what, if the arm and a thing were elsewhere: tried in a copy of the world."""

import copy
from collections.abc import Iterable

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.pose import Pose
from ambidex.envs.robot import Arm
from ambidex.envs.scene import Scene
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.envs.tasks.libero.model_world import body_name
from ambidex.envs.types import FloatArray

PENETRATION = 0.0008  # deeper contact counts as a collision [m]
MARGIN = 0.007  # that hand and arm keep from everything, the fingers aside [m]
COARSE, FINE = 0.006, 0.001  # steps of lowering a thing [m]


class Probe:
    """A copy of a scene's world in which to try poses. Call `renew` when the world has moved on.

    Attributes:
        data: State of the copy.
        cautious: Hand and arm keep a margin from everything.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self._model = copy.deepcopy(scene.model)
        self._live, self.data = scene.data, mujoco.MjData(model)
        self._joints = np.array([int(model.joint(name).qposadr[0]) for name in arm.joints])
        gripper = arm.gripper
        self._fingers = [int(model.joint(name).qposadr[0]) for name in (gripper.joint, gripper.mirror_joint)]
        self._signs = [1.0 if abs(hi) > abs(lo) else -1.0 for lo, hi in (self._range(i) for i in self._finger_ids(arm))]
        self._roots = model.body_rootid[model.geom_bodyid]
        moving = model.body_weldid[model.geom_bodyid] != 0
        robot = model.body_rootid[model.jnt_bodyid[model.joint(arm.joints[0]).id]]
        self._arm = moving & (self._roots == robot)
        self._robot = self._roots == robot
        fingers = {int(model.geom(name).bodyid[0]) for name in arm.gripper.finger_geoms}
        self._bulky = self._arm & ~np.isin(model.geom_bodyid, list(fingers))
        model.geom_margin[self._bulky] = MARGIN
        self.renew()

    def renew(self) -> None:
        """Take over the present state, and be cautious."""
        self.cautious = True
        mujoco.mj_copyData(self.data, self._model, self._live)

    def place(self, thing: str, pose: Pose) -> None:
        """Put a free thing somewhere in the copy."""
        address = int(self._model.joint(free_joint(thing)).qposadr[0])
        self.data.qpos[address : address + 7] = np.r_[pose.position, pose.quaternion]

    def turn(self, joint: str, position: float) -> None:
        """Put a drawer, door or knob at a joint position in the copy."""
        self.data.joint(joint).qpos = position

    def update(self) -> None:
        """Bring poses in the copy up to date."""
        mujoco.mj_kinematics(self._model, self.data)

    def collides(
        self, joints: FloatArray, opening: float, *, carried: str | None = None, ignored: Iterable[str] = ()
    ) -> bool:
        """Whether the arm at these joints (7,) and finger opening [m], or what it carries, is inside of something.

        Args:
            joints: Of the arm, shape (7,) [rad].
            opening: Distance between the pads [m].
            carried: A thing that belongs to the hand.
            ignored: Things that do not count.
        """
        self.data.qpos[self._joints] = joints
        for address, sign in zip(self._fingers, self._signs, strict=True):
            self.data.qpos[address] = sign * opening / 2
        a, b = self._pairs(-MARGIN)
        deep = self.data.contact.dist[self.data.contact.dist < MARGIN] < -PENETRATION
        near = deep | self.cautious & (self._bulky[a] | self._bulky[b])
        own = self._arm | self._is(carried) if carried else self._arm
        robot = self._robot | self._is(carried) if carried else self._robot
        for thing in ignored:
            robot = robot | self._is(thing)
        return bool((near & ((own[a] & ~robot[b]) | (own[b] & ~robot[a]))).any())

    def rest_height(self, thing: str, above: Pose, depth: float, support: str | None = None) -> float | None:
        """Height of the thing's frame when lowered from a pose until it touches, the arm aside [m].

        None when it touches something at once, or nothing within `depth`, or something besides the support.

        Args:
            thing: What is lowered.
            above: From where.
            depth: How far at most [m].
            support: Thing that it may come to touch, "" for the room; None for anything.
        """
        if self._touched(thing, above).any():
            return None
        steps = np.arange(COARSE, depth, COARSE)
        coarse = next((s for s in steps if self._touched(thing, above.shifted((0, 0, -s))).any()), None)
        if coarse is None:
            return None
        fine = coarse - COARSE
        while not self._touched(thing, above.shifted((0, 0, -fine - FINE))).any() and fine < coarse:
            fine += FINE
        if support is not None and not self._belongs(
            self._touched(thing, above.shifted((0, 0, -fine - FINE))), support
        ):
            return None
        return float(above.position[2] - fine)

    def touches(self, thing: str, pose: Pose) -> bool:
        """Whether a thing at a pose is inside of anything, the robot aside."""
        return bool(self._touched(thing, pose).any())

    def _touched(self, thing: str, pose: Pose) -> npt.NDArray[np.intp]:
        """Geoms that a thing touches at a pose, the robot's left out."""
        self.place(thing, pose)
        a, b = self._pairs(0.0)
        own = self._is(thing)
        touched = np.concatenate([b[own[a]], a[own[b]]])
        return np.asarray(touched[~self._robot[touched] & ~own[touched]], np.intp)

    def _belongs(self, geoms: npt.NDArray[np.intp], support: str) -> bool:
        """Whether all geoms are of one thing, or of the room if it is ""."""
        if support:
            return bool(self._is(support)[geoms].all())
        things = {self._model.joint(i).bodyid[0] for i in range(self._model.njnt)}
        movable = [*(self._model.body_rootid[body] for body in things), *np.flatnonzero(self._model.body_mocapid >= 0)]
        return not np.isin(self._roots[geoms], movable).any()

    def _pairs(self, deeper_than: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        mujoco.mj_kinematics(self._model, self.data)
        mujoco.mj_comPos(self._model, self.data)
        mujoco.mj_collision(self._model, self.data)
        contact = self.data.contact
        pairs = contact.geom[contact.dist < -deeper_than]
        return pairs[:, 0], pairs[:, 1]

    def _is(self, thing: str) -> FloatArray:
        return np.asarray(self._roots == self._model.body(body_name(thing)).id)

    def _finger_ids(self, arm: Arm) -> list[int]:
        return [self._model.joint(name).id for name in (arm.gripper.joint, arm.gripper.mirror_joint)]

    def _range(self, joint: int) -> tuple[float, float]:
        low, high = self._model.jnt_range[joint]
        return float(low), float(high)
