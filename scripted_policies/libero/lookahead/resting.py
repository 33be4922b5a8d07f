"""How a thing comes to rest that is let go somewhere: tried in a copy of the world, with its physics."""

import copy

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead.collision import Mask, Probe, robot_geoms
from ambidex.scripted_policies.libero.planning.clearance import GeomBoxes

DURATION, WATCHED = 1.2, 0.3  # of a fall, and at its end the time in which nothing may move [s]
MAX_SPEED, MAX_SPIN = 0.008, 0.08  # of things at rest, a little stricter than the task's [m/s, rad/s]
LOOKS = 6  # while things are watched


class Fall:
    """A copy of a scene's world without the robot, in which things may fall.

    Attributes:
        data: State of the copy.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self._model = copy.deepcopy(scene.model)
        self._scene, self.data = scene, mujoco.MjData(model)
        ghost = robot_geoms(model, arm)
        model.geom_contype[ghost] = model.geom_conaffinity[ghost] = 0
        free = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value)
        self._dofs = (model.jnt_dofadr[free][:, None] + np.arange(6)).ravel()
        self._limits = np.tile([MAX_SPEED] * 3 + [MAX_SPIN] * 3, len(free))

    @property
    def moment(self) -> int:
        """Of the world that this is a copy of."""
        return self._scene.state_version

    def settles(self, thing: str, pose: Pose) -> bool:
        """Let a thing go at a pose; whether everything is at rest in the end, as `data` shows it then."""
        mujoco.mj_copyData(self.data, self._model, self._scene.data)
        joint = self._model.joint(free_joint(thing))
        place, motion = int(joint.qposadr[0]), int(joint.dofadr[0])
        self.data.qpos[place : place + 7] = np.r_[pose.position, pose.quaternion]
        self.data.qvel[motion : motion + 6] = 0.0
        self._run(DURATION - WATCHED)
        speeds = [self._watched() for _ in range(LOOKS)]
        mujoco.mj_kinematics(self._model, self.data)
        return bool((np.max(speeds, axis=0) <= self._limits).all())

    def _watched(self) -> FloatArray:
        """Speeds of all free things after a while, shape (6 times things,) [m/s, rad/s]."""
        self._run(WATCHED / LOOKS)
        return np.asarray(np.abs(self.data.qvel[self._dofs]))

    def _run(self, duration: float) -> None:
        mujoco.mj_step(self._model, self.data, nstep=round(duration / self._model.opt.timestep))


# FOLDED scripted_policies.libero.falls: Whether things that fall come to rest where an atom holds; what was tried is remembered until the world moves on.

OFF = ((0.0, 0.0, 0.0), (0.005, 0.004, 0.0))  # where else a thing may come loose [m]
ENOUGH = 16  # poses tried before everything is taken for good


class Falls:
    """Tries falls of things.

    Args:
        fall: A copy of the world.
        world: What predicates ask of it.
    """

    def __init__(self, fall: Fall, world: ModelWorld) -> None:
        self._fall, self._world = fall, world
        self._tried: dict[tuple[object, ...], bool] = {}
        self._moment = fall.moment

    def reach(self, atom: Atom, pose: Pose) -> bool:
        """Whether the first argument of an atom, let go at a pose, comes to rest where the atom holds."""
        if self._moment != self._fall.moment:
            self._tried, self._moment = {}, self._fall.moment
        key = (atom, *np.round([*pose.position, *pose.quaternion], 3).tolist())
        if key not in self._tried and len(self._tried) < ENOUGH:
            self._tried[key] = all(self._reaches(atom, pose.shifted(off)) for off in OFF)
        return self._tried.get(key, True)

    def _reaches(self, atom: Atom, pose: Pose) -> bool:
        return self._fall.settles(atom.arguments[0], pose) and holds(self._world, atom)


# FOLDED scripted_policies.libero.lowering: How far a thing can be lowered until it comes to rest: tried in a copy of the world.

COARSE, FINE = 0.006, 0.001  # steps of lowering a thing [m]
APART = 1e-6  # between boxes that surely do not touch [m]


class Lowering:
    """Lowers things in a probe's copy of the world."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._room = self._immovable()
        self._around: tuple[str, int] = "", 0
        self._surroundings = GeomBoxes.around(probe.model, probe.data, np.arange(0))

    def rest_height(self, thing: str, above: Pose, depth: float, support: str | None = None) -> float | None:
        """Height of the thing's frame when lowered from a pose until it touches, the arm aside [m].

        None when it touches something at once, or nothing within `depth`, or something besides the support.

        Args:
            thing: What is lowered.
            above: From where.
            depth: How far at most [m].
            support: Thing that it may come to touch, "" for the room; None for anything.
        """
        if self._probe.touches(thing, above):
            return None
        free = self._free(thing)
        steps = np.arange(COARSE, depth, COARSE)
        low = next((s for s in steps[steps > free] if self._probe.touches(thing, above.shifted((0.0, 0.0, -s)))), None)
        if low is None:
            return None
        fine = low - COARSE
        while fine < low and (
            fine + FINE < free or not self._probe.touches(thing, above.shifted((0.0, 0.0, -fine - FINE)))
        ):
            fine += FINE
        lowest = above.shifted((0.0, 0.0, -fine - FINE))
        if support is not None and not self._belongs(self._touched(thing, lowest), support):
            return None
        return float(above.position[2] - fine)

    def _touched(self, thing: str, pose: Pose) -> npt.NDArray[np.intp]:
        """Geoms that a thing touches at a pose, the robot's left out."""
        if not self._probe.touches(thing, pose):
            return np.empty(0, np.intp)
        contact = self._probe.data.contact
        geoms = contact.geom[contact.dist < 0.0].ravel()
        return np.asarray(geoms[~self._probe.geoms_of(thing)[geoms]], np.intp)

    def _free(self, thing: str) -> float:
        """How far a thing surely sinks from where it was looked at before it touches anything [m]."""
        probe, sides = self._probe, self._probe.sides(thing)
        if self._around != (thing, probe.shuffles):
            self._around = thing, probe.shuffles
            self._surroundings = GeomBoxes.around(probe.model, probe.data, np.flatnonzero(sides.others))
        own = GeomBoxes.around(probe.model, probe.data, np.flatnonzero(sides.own))
        return own.fall(self._surroundings) - APART

    def _belongs(self, geoms: npt.NDArray[np.intp], support: str) -> bool:
        """Whether all geoms are of one thing, or of the room if it is ""."""
        return bool((self._probe.geoms_of(support) if support else self._room)[geoms].all())

    def _immovable(self) -> Mask:
        """Geoms of what belongs to the room: neither a thing nor a fixture nor the robot."""
        model = self._probe.model
        movable = [*model.body_rootid[model.jnt_bodyid], *np.flatnonzero(model.body_mocapid >= 0)]
        return ~np.isin(model.body_rootid[model.geom_bodyid], movable)
