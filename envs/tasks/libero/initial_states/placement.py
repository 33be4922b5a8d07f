"""Places fixtures and objects in LIBERO's order and by its rules, then lets them settle.

The result is a pure function of the episode's random generator.
"""

import math

import mujoco
import numpy as np

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.properties import ObjectProperties, object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_matrix
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Problem, Range, Region
from ambidex.envs.tasks.libero.composition import PARKED_HEIGHT, free_joint_name
from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES
from ambidex.envs.tasks.libero.goals.world import body_name, joint_names
from ambidex.envs.tasks.libero.initial_states.spread import Spread
from ambidex.envs.types import FloatArray
from ambidex.errors import EpisodeStartError, SimulationError

ROUNDS, TRIES = 125, 40  # positions tried per object until all objects are placed again; 5000 in all, as in LIBERO
GAP = 0.0002  # initial height above the table [m]

RISE, FINE = 0.002, 0.00025  # steps of raising an object out of what it overlaps, and of lowering it again [m]
MAX_RISE = 0.25  # [m]
MAX_DEPTH = 0.0002  # penetration of contacts that carry weight [m]

SETTLE_S = 0.05  # simulated time between two checks for rest [s]
MAX_SETTLE_CHECKS = 40  # LIBERO's scenes need four
STILL = 2e-5  # largest change of a joint position between two checks at rest [m or rad, or of a quaternion]


class NoFreeSpotError(EpisodeStartError):
    """An object overlaps others at every position tried in its region."""


class GoalReachedError(EpisodeStartError):
    """The goal holds in the initial state, so that the episode would test nothing."""


class Placement:
    """Places the fixtures and objects of one scene, by the episode's random generator."""

    def __init__(self, scene: Scene, problem: Problem, arena: Arena, rng: np.random.Generator, spread: Spread) -> None:
        self._scene, self._problem, self._arena = scene, problem, arena
        self._rng, self._spread = rng, spread
        self._clearance = Clearance(scene)
        self._placed: dict[str, tuple[float, float]] = {}

    def place_fixtures(self) -> None:
        """Set the joints of drawers, doors and knobs, then place every fixture."""
        for atom in self._problem.init:
            if atom.predicate in JOINT_STATES:
                self._set_joints(atom.predicate, *atom.arguments)
        for atom in self._problem.placements():
            if atom.arguments[0] in self._problem.fixtures:
                self._place_fixture(*atom.arguments)

    def place_objects(self) -> None:
        """Place every object: on the workspace first, then in and on fixtures and other objects.

        If there is no free spot left for an object, all objects are placed again.

        Raises:
            NoFreeSpotError: No free spot after all tries; names object and region.
        """
        fixtures = dict(self._placed)
        for remaining in reversed(range(ROUNDS)):
            try:
                self._place_all()
                return
            except NoFreeSpotError:
                if not remaining:
                    raise
            self._placed = dict(fixtures)
            self._park()

    def _place_all(self) -> None:
        atoms = [atom for atom in self._problem.placements() if atom.arguments[0] in self._problem.objects]
        while atoms:
            by_rank = sorted(atoms, key=lambda atom: self._rank(atom.arguments[1]))
            atom = next(atom for atom in by_rank if self._is_ready(atom.arguments[1]))
            self._place_object(*atom.arguments, inside=atom.predicate == "in")
            atoms.remove(atom)

    def _park(self) -> None:
        for index, name in enumerate(self._problem.objects):
            self._scene.place(body_name(name), Pose.at((index, 0.0, PARKED_HEIGHT)))

    def _set_joints(self, predicate: str, name: str) -> None:
        category = self._problem.categories[self._problem.owner(name)]
        low, high = JOINT_STATES[predicate][category].initial
        for joint in joint_names(self._problem, name):
            self._scene.data.joint(joint).qpos = self._rng.uniform(low, high)

    def _place_fixture(self, fixture: str, region_name: str) -> None:
        region = self._problem.regions[region_name]
        xy = self._sample_xy(self._spread.fixture_range(self._choose_range(region)))
        height = self._arena.fixture_height(self._problem.fixtures[fixture])
        yaw = self._rng.uniform(*(region.yaw or (0.0, 0.0)))
        self._scene.place_fixture(body_name(fixture), Pose.at((*xy, height), _about_z(yaw)))
        self._placed[fixture] = xy

    def _place_object(self, name: str, support: str, *, inside: bool) -> None:
        region = self._problem.regions.get(support)
        if region is None:
            self._place_on(name, support)
        elif region.target == self._problem.workspace:
            self._place_on_workspace(name, region)
        else:
            self._place_at_site(name, region, inside)
        self._placed[name] = tuple(self._scene.data.joint(free_joint_name(name)).qpos[:2])

    def _place_on_workspace(self, name: str, region: Region) -> None:
        shape = object_properties(self._problem.objects[name])
        height = self._arena.surface_z + GAP - _bottom(shape)
        blocked: set[str] = set()
        for _ in range(TRIES):
            given = self._choose_range(region)
            xy = self._sample_xy(self._spread.object_range(given, shape.horizontal_radius, self._problem.problem))
            near = self._too_near(xy, shape.horizontal_radius)
            if not near:
                self._scene.place(body_name(name), Pose.at((*xy, height), self._sample_orientation(shape)))
                near = self._clearance.overlapping(name)
            if not near:
                return
            blocked |= near
        raise NoFreeSpotError(
            f"{self._problem.name}: no free spot for {name} in region {region.name} after {ROUNDS * TRIES} tries, "
            f"blocked by {', '.join(sorted(blocked))}.",
            "Make the region larger, or move it away from others in the definition.",
            object=name,
            region=region.name,
            blocked_by=sorted(blocked),
        )

    def _place_at_site(self, name: str, region: Region, inside: bool) -> None:
        shape = object_properties(self._problem.objects[name])
        self._scene.refresh()
        site = self._scene.site_pose(region.name)
        half = self._scene.model.site(region.name).size
        # LIBERO: the centre, or up to a quarter of the region's width less the object's radius from it.
        reach = np.zeros(2) if inside else np.abs(half[:2] / 2 - shape.horizontal_radius)
        offset = np.array([*self._rng.uniform(-reach, reach), 0.0])
        x, y, z = (site @ Pose.at(offset)).position
        axes = np.column_stack([site.axis(0), site.axis(1), site.axis(2)])
        bottom = float(z - np.abs(axes[2] @ np.diag(half)).sum())
        self._raise(name, region.name, Pose.at((x, y, bottom - _bottom(shape))))

    def _place_on(self, name: str, support: str) -> None:
        shape = object_properties(self._problem.objects[name])
        below = object_properties(self._problem.categories[support])
        self._scene.refresh()
        pose = self._scene.body_pose(body_name(support))
        self._raise(name, support, pose.shifted((0.0, 0.0, _bottom(below) - _bottom(shape) + 0.001)))

    def _raise(self, name: str, support: str, lowest: Pose) -> None:
        rotated = Pose(lowest.position, self._sample_orientation(object_properties(self._problem.objects[name])))
        pose = self._clearance.raise_until_free(name, rotated)
        if pose is None:
            raise NoFreeSpotError(
                f"{self._problem.name}: no free spot for {name} in {support}.",
                "Place it elsewhere in the definition.",
                object=name,
                region=support,
            )
        self._scene.place(body_name(name), pose)

    def _too_near(self, xy: tuple[float, float], radius: float) -> set[str]:
        radii = {other: object_properties(self._problem.categories[other]).horizontal_radius for other in self._placed}
        return {
            other for other, (x, y) in self._placed.items() if math.hypot(xy[0] - x, xy[1] - y) <= radius + radii[other]
        }

    def _sample_xy(self, given: Range) -> tuple[float, float]:
        x0, y0, x1, y1 = given
        origin = self._arena.offset
        return origin[0] + float(self._rng.uniform(x0, x1)), origin[1] + float(self._rng.uniform(y0, y1))

    def _choose_range(self, region: Region) -> Range:
        return region.ranges[int(self._rng.integers(len(region.ranges)))]

    def _sample_orientation(self, shape: ObjectProperties) -> FloatArray:
        yaw = self._rng.uniform(*self._spread.yaws(shape.initial_yaw))
        return quaternion_product(_about_z(yaw), np.array(shape.initial_orientation))

    def _rank(self, support: str) -> int:
        """LIBERO's order: the workspace, then sites, then other objects."""
        region = self._problem.regions.get(support)
        return 2 if region is None else 0 if region.target == self._problem.workspace else 1

    def _is_ready(self, support: str) -> bool:
        owner = self._problem.owner(support)
        return owner == self._problem.workspace or owner in self._placed


class Clearance:
    """Finds what an object overlaps, and heights at which it overlaps nothing. Refresh the scene afterwards."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._model, self._data = scene, scene.model, scene.data
        self._roots = scene.model.body_rootid[scene.model.geom_bodyid]

    def overlapping(self, name: str) -> set[str]:
        """Names of the objects and fixtures that the object overlaps."""
        names = (self._model.body(root).name for root in self._overlapping_roots(name, 0.0) if root != 0)
        return {name.removesuffix(body_name("")) for name in names}

    def raise_until_free(self, name: str, lowest: Pose) -> Pose | None:
        """The lowest pose at or above `lowest` at which the object overlaps nothing; None if it is out of reach."""
        rise = next((r for r in np.arange(0.0, MAX_RISE, RISE) if self._is_free(name, lowest, r)), None)
        if rise is None:
            return None
        while rise > 0.0 and self._is_free(name, lowest, rise - FINE):
            rise -= FINE
        return lowest.shifted((0.0, 0.0, rise))

    def _is_free(self, name: str, lowest: Pose, rise: float) -> bool:
        self._scene.place(body_name(name), lowest.shifted((0.0, 0.0, rise)))
        return not self._overlapping_roots(name, MAX_DEPTH)

    def _overlapping_roots(self, name: str, depth: float) -> set[int]:
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)
        contact = self._data.contact
        pairs = self._roots[contact.geom[contact.dist < -depth]]
        own = self._model.body(body_name(name)).id
        touched = pairs[(pairs == own).any(axis=1)]
        return set(touched[touched != own].tolist())


def settle(scene: Scene) -> None:
    """Step the physics until nothing moves, then set all velocities and the time to 0.

    Velocities are also set to 0 at every check, so that objects come to rest within a few checks instead of rocking.
    The arm is held by its controls.

    Raises:
        SimulationError: Something does not come to rest; names it.
    """
    model, data = scene.model, scene.data
    steps = round(SETTLE_S / model.opt.timestep)
    moved = np.full(model.nq, np.inf)
    for _ in range(MAX_SETTLE_CHECKS):
        before = data.qpos.copy()
        mujoco.mj_step(model, data, steps)
        data.qvel[:] = 0.0
        moved = np.abs(data.qpos - before)
        if moved.max() <= STILL:
            break
    else:
        raise _not_at_rest(scene, moved)
    data.qacc_warmstart[:] = 0.0
    scene.reset_time()
    scene.refresh()


def _not_at_rest(scene: Scene, moved: FloatArray) -> SimulationError:
    model = scene.model
    joint = int(np.searchsorted(model.jnt_qposadr, moved.argmax(), side="right")) - 1
    body = model.body(model.jnt_bodyid[joint]).name
    return SimulationError(
        f"{scene.name}: {body} does not come to rest within {MAX_SETTLE_CHECKS * SETTLE_S:.0f} s of simulated time.",
        "Place it elsewhere in the definition: it may be beyond the table's edge, or on something unstable.",
        body=body,
    )


def _bottom(shape: ObjectProperties) -> float:
    """Height of an object's lowest point above its origin in its initial orientation [m]."""
    up = rotation_matrix(np.array(shape.initial_orientation))[2]
    return float(np.minimum(up * shape.low, up * shape.high).sum())


def _about_z(yaw: float) -> FloatArray:
    return quaternion_about((0.0, 0.0, 1.0), yaw)
