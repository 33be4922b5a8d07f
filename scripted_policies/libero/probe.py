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
from ambidex.scripted_policies.libero.geom_boxes import GeomBoxes
from ambidex.scripted_policies.libero.meeting import Mask, Meeting
from ambidex.scripted_policies.libero.robot_geoms import robot_geoms

PENETRATION = 0.0008  # deeper contact counts as a collision [m]
MARGIN = 0.007  # that hand and arm keep from everything, the fingers aside [m]
COARSE, FINE = 0.006, 0.001  # steps of lowering a thing [m]
APART = 1e-6  # between boxes that surely do not touch [m]


class Probe:
    """A copy of a scene's world in which to try poses. Call `renew` when the world has moved on.

    Attributes:
        data: State of the copy.
        renewals: How often the copy has taken over the world.
        queries: How often contacts have been looked for since then.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self._model = copy.deepcopy(scene.model)
        self._plain = scene.model
        self._live, self.data = scene.data, mujoco.MjData(model)
        self._joints = np.array([int(model.joint(name).qposadr[0]) for name in arm.joints])
        gripper = arm.gripper
        self._fingers = [int(model.joint(name).qposadr[0]) for name in (gripper.joint, gripper.mirror_joint)]
        self._signs = [1.0 if abs(hi) > abs(lo) else -1.0 for lo, hi in (self._range(i) for i in self._finger_ids(arm))]
        self._roots = model.body_rootid[model.geom_bodyid]
        self._solid = np.asarray((model.geom_contype != 0) | (model.geom_conaffinity != 0))
        moving = model.body_weldid[model.geom_bodyid] != 0
        self._robot = robot_geoms(model, arm)
        self._arm = np.asarray(moving & self._robot)
        fingers = {int(model.geom(name).bodyid[0]) for name in arm.gripper.finger_geoms}
        self._bulky = self._arm & ~np.isin(model.geom_bodyid, list(fingers))
        model.geom_margin[self._bulky] = MARGIN
        self._room = self._immovable()
        self._masks: dict[str, Mask] = {}
        self._addresses: dict[str, int] = {}
        self._meetings: dict[tuple[str, ...], Meeting] = {}
        self._arranged: Meeting | None = None
        self.renewals = 0
        self.renew()

    def renew(self) -> None:
        """Take over the present state."""
        self.renewals, self.queries = self.renewals + 1, 0
        self._surroundings: tuple[str, GeomBoxes] | None = None
        mujoco.mj_copyData(self.data, self._model, self._live)

    def place(self, thing: str, pose: Pose) -> None:
        """Put a free thing somewhere in the copy."""
        if thing not in self._addresses:
            self._addresses[thing] = int(self._model.joint(free_joint(thing)).qposadr[0])
        address = self._addresses[thing]
        self.data.qpos[address : address + 3] = pose.position
        self.data.qpos[address + 3 : address + 7] = pose.quaternion
        if self._surroundings is not None and self._surroundings[0] != thing:
            self._surroundings = None

    def turn(self, joint: str, position: float) -> None:
        """Put a drawer, door or knob at a joint position in the copy."""
        self.data.joint(joint).qpos = position
        self._surroundings = None

    def update(self) -> None:
        """Bring poses in the copy up to date."""
        mujoco.mj_kinematics(self._model, self.data)

    def collides(
        self,
        joints: FloatArray,
        opening: float,
        *,
        carried: str | None = None,
        ignored: Iterable[str] = (),
        cautious: bool = True,
    ) -> bool:
        """Whether the arm at these joints (7,) and finger opening [m], or what it carries, is inside of something.

        Args:
            joints: Of the arm, shape (7,) [rad].
            opening: Distance between the pads [m].
            carried: A thing that belongs to the hand.
            ignored: Things that do not count.
            cautious: Hand and arm have to keep a margin from everything.
        """
        self.data.qpos[self._joints] = joints
        for address, sign in zip(self._fingers, self._signs, strict=True):
            self.data.qpos[address] = sign * opening / 2
        self._look(self._with_hand(carried, tuple(ignored)))
        if not self.data.ncon:
            return False
        contact = self.data.contact
        near = contact.dist < (MARGIN if cautious else -PENETRATION)
        bulky = self._bulky[contact.geom].any(axis=1)
        return bool((near & (bulky | (contact.dist < -PENETRATION))).any())

    def rest_height(self, thing: str, above: Pose, depth: float, support: str | None = None) -> float | None:
        """Height of the thing's frame when lowered from a pose until it touches, the arm aside [m].

        None when it touches something at once, or nothing within `depth`, or something besides the support.

        Args:
            thing: What is lowered.
            above: From where.
            depth: How far at most [m].
            support: Thing that it may come to touch, "" for the room; None for anything.
        """
        if self.touches(thing, above):
            return None
        free = self._free(thing)
        steps = np.arange(COARSE, depth, COARSE)
        low = next((s for s in steps[steps > free] if self.touches(thing, above.shifted((0.0, 0.0, -s)))), None)
        if low is None:
            return None
        fine = low - COARSE
        while fine < low and (fine + FINE < free or not self.touches(thing, above.shifted((0.0, 0.0, -fine - FINE)))):
            fine += FINE
        lowest = above.shifted((0.0, 0.0, -fine - FINE))
        if support is not None and not self._belongs(self._touched(thing, lowest), support):
            return None
        return float(above.position[2] - fine)

    def touches(self, thing: str, pose: Pose) -> bool:
        """Whether a thing at a pose is inside of anything, the robot aside."""
        self.place(thing, pose)
        self._look(self._without_hand(thing))
        return bool(self.data.ncon) and bool((self.data.contact.dist < 0.0).any())

    def _touched(self, thing: str, pose: Pose) -> npt.NDArray[np.intp]:
        """Geoms that a thing touches at a pose, the robot's left out."""
        if not self.touches(thing, pose):
            return np.empty(0, np.intp)
        contact = self.data.contact
        geoms = contact.geom[contact.dist < 0.0].ravel()
        return np.asarray(geoms[~self._is(thing)[geoms]], np.intp)

    def _free(self, thing: str) -> float:
        """How far a thing surely sinks from where it was looked at before it touches anything [m]."""
        if self._surroundings is None:
            others = np.flatnonzero(self._without_hand(thing).others)
            self._surroundings = thing, GeomBoxes.around(self._model, self.data, others)
        own = GeomBoxes.around(self._model, self.data, np.flatnonzero(self._without_hand(thing).own))
        return own.fall(self._surroundings[1]) - APART

    def _belongs(self, geoms: npt.NDArray[np.intp], support: str) -> bool:
        """Whether all geoms are of one thing, or of the room if it is ""."""
        return bool((self._is(support) if support else self._room)[geoms].all())

    def _look(self, meeting: Meeting) -> None:
        """Find the contacts between two sides."""
        if meeting is not self._arranged:
            meeting.arrange(self._model)
            self._arranged = meeting
        self.queries += 1
        mujoco.mj_kinematics(self._model, self.data)
        mujoco.mj_collision(self._model, self.data)

    def _with_hand(self, carried: str | None, ignored: tuple[str, ...]) -> Meeting:
        """The arm and what it carries on one side, all else but the robot and what is ignored on the other."""
        key = ("hand", carried or "", *ignored)
        if key not in self._meetings:
            own = self._arm | self._is(carried) if carried else self._arm
            left_out = self._robot | own
            for thing in ignored:
                left_out = left_out | self._is(thing)
            self._meetings[key] = Meeting.between(self._plain, own, ~left_out)
        return self._meetings[key]

    def _without_hand(self, thing: str) -> Meeting:
        """A thing on one side, all else but the robot on the other."""
        key = ("thing", thing)
        if key not in self._meetings:
            own = self._is(thing)
            self._meetings[key] = Meeting.between(self._plain, own & self._solid, self._solid & ~(self._robot | own))
        return self._meetings[key]

    def _is(self, thing: str) -> Mask:
        if thing not in self._masks:
            self._masks[thing] = np.asarray(self._roots == self._model.body(body_name(thing)).id)
        return self._masks[thing]

    def _immovable(self) -> Mask:
        """Geoms of what belongs to the room: neither a thing nor a fixture nor the robot."""
        model = self._model
        movable = [*model.body_rootid[model.jnt_bodyid], *np.flatnonzero(model.body_mocapid >= 0)]
        return ~np.isin(self._roots, movable)

    def _finger_ids(self, arm: Arm) -> list[int]:
        return [self._model.joint(name).id for name in (arm.gripper.joint, arm.gripper.mirror_joint)]

    def _range(self, joint: int) -> tuple[float, float]:
        low, high = self._model.jnt_range[joint]
        return float(low), float(high)
