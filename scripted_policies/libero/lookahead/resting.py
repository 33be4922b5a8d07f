"""Where objects come to rest: how far one can be lowered, and what happens to one that is dropped."""

import copy
import math

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose, rotation_matrix
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.simulation.stepper import Stepper
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, body_name
from ambidex.scripted_policies.libero.lookahead.clearance import GeomBoxes
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker, Mask, robot_geoms

COARSE, FINE = 0.006, 0.001  # steps of lowering an object [m]
APART = 1e-6  # distance of boxes that certainly do not touch [m]

DURATION, WATCHED = 1.2, 0.3  # of a drop, and of the time at its end in which nothing may move [s]
WATCH_STEPS = 6  # in the time watched
MAX_SPEED, MAX_SPIN = 0.008, 0.08  # of objects at rest, a little stricter than the task's [m/s, rad/s]
OFFSETS = ((0.0, 0.0, 0.0), (0.005, 0.004, 0.0))  # at which a dropped object may come free of the fingers [m]
MAX_TILT = math.radians(5)  # of an object that has to stay level
MAX_DROPS = 16  # poses simulated until the world changes; later ones are assumed to be fine


class RestHeightFinder:
    """Finds how far an object can be lowered until it rests on something, in the collision checker's copy."""

    def __init__(self, collisions: CollisionChecker) -> None:
        self._collisions = collisions
        self._arena = self._arena_geoms()
        self._boxes_of: tuple[str, int] = "", 0
        self._boxes_below = GeomBoxes.around(collisions.model, collisions.data, np.arange(0))

    def rest_height(self, obj: str, above: Pose, depth: float, support: str | None = None) -> float | None:
        """Height of the object's frame when it is lowered from a pose until it touches something [m].

        None if it collides at once, or touches nothing within `depth` [m], or something other than the support: an
        object, "" for the arena, or None for anything.
        """
        if self._collisions.object_collides(obj, above):
            return None
        free = self._certainly_free(obj)
        steps = np.arange(COARSE, depth, COARSE)
        low = next((s for s in steps[steps > free] if self._collides_lower(obj, above, s)), None)
        if low is None:
            return None
        fine = low - COARSE
        while fine < low and (fine + FINE < free or not self._collides_lower(obj, above, fine + FINE)):
            fine += FINE
        lowest = above.shifted((0.0, 0.0, -fine - FINE))
        if support is not None and not self._all_belong_to(self._touched(obj, lowest), support):
            return None
        return float(above.position[2] - fine)

    def _collides_lower(self, obj: str, above: Pose, distance: float) -> bool:
        return self._collisions.object_collides(obj, above.shifted((0.0, 0.0, -distance)))

    def _touched(self, obj: str, pose: Pose) -> npt.NDArray[np.intp]:
        """Geoms that an object touches at a pose, without the robot's."""
        if not self._collisions.object_collides(obj, pose):
            return np.empty(0, np.intp)
        contact = self._collisions.data.contact
        geoms = contact.geom[contact.dist < 0.0].ravel()
        return np.asarray(geoms[~self._collisions.geoms_of(obj)[geoms]], np.intp)

    def _certainly_free(self, obj: str) -> float:
        """How far an object can certainly be lowered from its pose in the copy, by boxes alone [m]."""
        checker, sides = self._collisions, self._collisions.object_filter(obj)
        if self._boxes_of != (obj, checker.version):
            self._boxes_of = obj, checker.version
            self._boxes_below = GeomBoxes.around(checker.model, checker.data, np.flatnonzero(sides.others))
        own = GeomBoxes.around(checker.model, checker.data, np.flatnonzero(sides.own))
        return own.distance_above(self._boxes_below) - APART

    def _all_belong_to(self, geoms: npt.NDArray[np.intp], support: str) -> bool:
        return bool((self._collisions.geoms_of(support) if support else self._arena)[geoms].all())

    def _arena_geoms(self) -> Mask:
        """Geoms that belong neither to an object nor to a fixture nor to the robot."""
        model = self._collisions.model
        movable = [*model.body_rootid[model.jnt_bodyid], *np.flatnonzero(model.body_mocapid >= 0)]
        return ~np.isin(model.body_rootid[model.geom_bodyid], movable)


class DropSimulation:
    """A copy of a scene's world without the robot, in which objects are dropped; `data` is its state."""

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model = self._model = copy.deepcopy(scene.model)
        self._scene, self.data = scene, mujoco.MjData(model)
        robot = robot_geoms(model, arm)
        model.geom_contype[robot] = model.geom_conaffinity[robot] = 0
        self._stepper = Stepper(model, self.data)
        free = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value)
        self._dofs = (model.jnt_dofadr[free][:, None] + np.arange(6)).ravel()
        self._limits = np.tile([MAX_SPEED] * 3 + [MAX_SPIN] * 3, len(free))

    @property
    def state_version(self) -> int:
        """Of the scene that is copied."""
        return self._scene.state_version

    def settles(self, obj: str, pose: Pose) -> bool:
        """Drop an object from a pose; whether all objects are at rest at the end, which `data` then shows."""
        mujoco.mj_copyData(self.data, self._model, self._scene.data)
        joint = self._model.joint(free_joint_name(obj))
        position, motion = int(joint.qposadr[0]), int(joint.dofadr[0])
        self.data.qpos[position : position + 7] = np.r_[pose.position, pose.quaternion]
        self.data.qvel[motion : motion + 6] = 0.0
        self._run(DURATION - WATCHED)
        at_rest = True
        for _ in range(WATCH_STEPS):
            self._run(WATCHED / WATCH_STEPS)
            at_rest &= bool((np.abs(self.data.qvel[self._dofs]) <= self._limits).all())
        mujoco.mj_kinematics(self._model, self.data)
        return at_rest

    def tilt(self, obj: str, pose: Pose) -> float:
        """Angle to the vertical, after the drop simulated last, of the axis that is vertical at a pose [rad]."""
        quaternion = self.data.body(body_name(obj)).xquat
        cosine = float(rotation_matrix(quaternion)[2] @ rotation_matrix(pose.quaternion)[2])
        return math.acos(min(1.0, max(-1.0, cosine)))

    def _run(self, duration: float) -> None:
        self._stepper.step(round(duration / self._model.opt.timestep))


class DropTests:
    """Tests whether dropped objects come to rest where an atom holds. Results are cached until the world changes."""

    def __init__(self, simulation: DropSimulation, world: ModelWorld) -> None:
        self._simulation, self._world = simulation, world
        self._results: dict[tuple[object, ...], bool] = {}
        self._state_version = simulation.state_version

    def satisfies(self, atom: Atom, pose: Pose, *, level: bool = False) -> bool:
        """Whether the first argument of an atom, dropped from a pose, comes to rest where the atom holds.

        If it has to stay `level`, it may tilt by MAX_TILT.
        """
        if self._state_version != self._simulation.state_version:
            self._results, self._state_version = {}, self._simulation.state_version
        key = (atom, level, *np.round([*pose.position, *pose.quaternion], 3).tolist())
        if key not in self._results and len(self._results) < MAX_DROPS:
            largest = MAX_TILT if level else math.inf
            self._results[key] = all(self._simulate(atom, pose.shifted(offset), largest) for offset in OFFSETS)
        return self._results.get(key, True)

    def _simulate(self, atom: Atom, pose: Pose, largest_tilt: float) -> bool:
        obj = atom.arguments[0]
        settles = self._simulation.settles(obj, pose) and self._simulation.tilt(obj, pose) <= largest_tilt
        return settles and holds(self._world, atom)
