"""What would touch what, if the arm and a thing were elsewhere: tried in a copy of the world."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError

# FOLDED scripted_policies.libero.meeting: Which geoms are asked about in one question about contacts.

Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.int32]
AFFINITIES = 8  # bits that contype and conaffinity take, each


@dataclass(frozen=True, eq=False)
class Meeting:
    """Two sides. Only contacts between them are looked for, which is what makes a question cheap.

    Attributes:
        own: The geoms of one side, shape (geoms,).
        others: Those of the other, shape (geoms,).
        masks: What a model calls geom_contype, geom_conaffinity, body_contype and body_conaffinity.
    """

    own: Mask
    others: Mask
    masks: tuple[Bits, Bits, Bits, Bits]

    @classmethod
    def between(cls, model: mujoco.MjModel, own: Mask, others: Mask) -> "Meeting":
        """Two sides that meet where the model, with masks nobody has touched, lets them collide.

        Raises:
            UsageError: A mask of the model has bits for which there is no room.
        """
        _check_room(model)
        # A pair collides if contype and conaffinity agree one way or the other: both ways, side by side, in one mask.
        one = own * (model.geom_contype | model.geom_conaffinity << AFFINITIES)
        other = others * (model.geom_conaffinity | model.geom_contype << AFFINITIES)
        return cls(own, others, (one, other, _of_bodies(model, one), _of_bodies(model, other)))

    def arrange(self, model: mujoco.MjModel) -> None:
        """Let collision in a model see the two sides and nothing else."""
        model.geom_contype[:], model.geom_conaffinity[:], model.body_contype[:], model.body_conaffinity[:] = self.masks


def _check_room(model: mujoco.MjModel) -> None:
    """Refuse masks that would run into each other."""
    wide = (model.geom_contype | model.geom_conaffinity) >> AFFINITIES != 0  # of a negative one too
    if wide.any():
        geom = model.geom(int(np.argmax(wide)))
        raise UsageError(
            f"Which geoms may collide is looked up with {AFFINITIES} bits each of contype and conaffinity, and geom "
            f"{geom.id} ({geom.name or 'without a name'}) of body {model.body(geom.bodyid[0]).name} has contype "
            f"{geom.contype[0]} and conaffinity {geom.conaffinity[0]}: {wide.sum()} of {model.ngeom} geoms have more. "
            f"Keep both from 0 to {2**AFFINITIES - 1} in the model, or play this task without its expert."
        )


def _of_bodies(model: mujoco.MjModel, geoms: Bits) -> Bits:
    """The masks of all geoms of each body in one."""
    bodies = np.zeros(model.nbody, np.int32)
    np.bitwise_or.at(bodies, model.geom_bodyid, geoms.astype(np.int32))
    return bodies


PENETRATION = 0.0008  # deeper contact counts as a collision [m]
MARGIN = 0.007  # that hand and arm keep from everything, the fingers aside [m]


class Probe:
    """A copy of a scene's world in which to try poses. Call `renew` when the world has moved on.

    Attributes:
        model: Of the copy.
        data: Its state.
        renewals: How often the copy has taken over the world.
        queries: How often contacts have been looked for since then.
        shuffles: Grows when anything is moved but the thing that was placed last.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self.model = copy.deepcopy(scene.model)
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
        self._masks: dict[str, Mask] = {}
        self._addresses: dict[str, int] = {}
        self._meetings: dict[tuple[str, ...], Meeting] = {}
        self._arranged: Meeting | None = None
        self.renewals = self.shuffles = 0
        self._placed = ""
        self.renew()

    def renew(self) -> None:
        """Take over the present state."""
        self.renewals, self.queries = self.renewals + 1, 0
        self._shuffled("")
        mujoco.mj_copyData(self.data, self.model, self._live)

    def place(self, thing: str, pose: Pose) -> None:
        """Put a free thing somewhere in the copy."""
        if thing not in self._addresses:
            self._addresses[thing] = int(self.model.joint(free_joint(thing)).qposadr[0])
        address = self._addresses[thing]
        self.data.qpos[address : address + 3] = pose.position
        self.data.qpos[address + 3 : address + 7] = pose.quaternion
        if thing != self._placed:
            self._shuffled(thing)

    def turn(self, joint: str, position: float) -> None:
        """Put a drawer, door or knob at a joint position in the copy."""
        self.data.joint(joint).qpos = position
        self._shuffled("")

    def update(self) -> None:
        """Bring poses in the copy up to date."""
        mujoco.mj_kinematics(self.model, self.data)

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

    def touches(self, thing: str, pose: Pose) -> bool:
        """Whether a thing at a pose is inside of anything, the robot aside."""
        self.place(thing, pose)
        self._look(self.sides(thing))
        return bool(self.data.ncon) and bool((self.data.contact.dist < 0.0).any())

    def sides(self, thing: str) -> Meeting:
        """A thing on one side, all else but the robot on the other."""
        key = ("thing", thing)
        if key not in self._meetings:
            own = self.geoms_of(thing)
            self._meetings[key] = Meeting.between(self._plain, own & self._solid, self._solid & ~(self._robot | own))
        return self._meetings[key]

    def geoms_of(self, thing: str) -> Mask:
        """Mask of a thing's geoms, shape (geoms,)."""
        if thing not in self._masks:
            self._masks[thing] = np.asarray(self._roots == self.model.body(body_name(thing)).id)
        return self._masks[thing]

    def _shuffled(self, placed: str) -> None:
        """Something has been moved; if it is a free thing, it may move on without being counted."""
        self.shuffles += 1
        self._placed = placed

    def _look(self, meeting: Meeting) -> None:
        """Find the contacts between two sides."""
        if meeting is not self._arranged:
            meeting.arrange(self.model)
            self._arranged = meeting
        self.queries += 1
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_collision(self.model, self.data)

    def _with_hand(self, carried: str | None, ignored: tuple[str, ...]) -> Meeting:
        """The arm and what it carries on one side, all else but the robot and what is ignored on the other."""
        key = ("hand", carried or "", *ignored)
        if key not in self._meetings:
            own = self._arm | self.geoms_of(carried) if carried else self._arm
            left_out = self._robot | own
            for thing in ignored:
                left_out = left_out | self.geoms_of(thing)
            self._meetings[key] = Meeting.between(self._plain, own, ~left_out)
        return self._meetings[key]

    def _finger_ids(self, arm: Arm) -> list[int]:
        return [self.model.joint(name).id for name in (arm.gripper.joint, arm.gripper.mirror_joint)]

    def _range(self, joint: int) -> tuple[float, float]:
        low, high = self.model.jnt_range[joint]
        return float(low), float(high)


# FOLDED scripted_policies.libero.robot_geoms: Which geoms belong to the robot.


def robot_geoms(model: mujoco.MjModel, arm: Arm) -> Mask:
    """Mask of the geoms of a robot and what it is mounted on, by one of its arms, shape (geoms,)."""
    root = model.body_rootid[model.jnt_bodyid[model.joint(arm.joints[0]).id]]
    return np.asarray(model.body_rootid[model.geom_bodyid] == root)
