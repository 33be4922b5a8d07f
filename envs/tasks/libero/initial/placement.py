"""Where everything starts: a pure function of the episode's generator, in LIBERO's order and by its rules."""

import math

import mujoco
import numpy as np

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem, Range, Region
from ambidex.envs.tasks.libero.composition import PARKED, free_joint
from ambidex.envs.tasks.libero.goals.predicates import JOINT_STATES
from ambidex.envs.tasks.libero.goals.world import body_name, joint_names
from ambidex.envs.tasks.libero.initial.spread import Spread, start_yaw
from ambidex.envs.types import FloatArray
from ambidex.errors import EpisodeStartError, SimulationError

ROUNDS, TRIES = 125, 40  # spots tried for an object until all others are placed anew; 5000 in all, as in LIBERO
GAP = 0.0002  # below a thing that is about to stand on the table [m]


class Placement:
    """Places one scene's fixtures and objects.

    Args:
        scene: World to place them in.
        problem: Its definition.
        arena: Its room.
        rng: The episode's generator.
        spread: Widths of what is drawn.
    """

    def __init__(self, scene: Scene, problem: Problem, arena: Arena, rng: np.random.Generator, spread: Spread) -> None:
        self._scene, self._problem, self._arena = scene, problem, arena
        self._rng, self._spread = rng, spread
        self._clearance = Clearance(scene)
        self._placed: dict[str, tuple[float, float]] = {}

    def place_fixtures(self) -> None:
        """Set drawers, doors and knobs, then put every fixture down."""
        for atom in self._problem.init:
            if atom.predicate in JOINT_STATES:
                self._set_joints(atom)
        for atom in self._problem.placements():
            if atom.arguments[0] in self._problem.fixtures:
                self._place_fixture(*atom.arguments)

    def place_objects(self) -> None:
        """Put every object down: on the workspace first, then in and on things.

        Where earlier objects have left no room for a later one, all are placed anew.

        Raises:
            NoFreeSpotError: There is no free spot; says for which object and in which region.
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
            atom = next(atom for atom in sorted(atoms, key=self._rank) if self._is_ready(atom))
            self._place_object(*atom.arguments)
            atoms.remove(atom)

    def _park(self) -> None:
        for index, thing in enumerate(self._problem.objects):
            self._scene.place(body_name(thing), Pose.at((index, 0.0, PARKED)))

    def _set_joints(self, atom: Atom) -> None:
        (name,) = atom.arguments
        category = self._problem.categories[self._problem.owner(name)]
        low, high = JOINT_STATES[atom.predicate][category].start
        for joint in joint_names(self._problem, name):
            self._scene.data.joint(joint).qpos = self._rng.uniform(low, high)

    def _place_fixture(self, fixture: str, region: str) -> None:
        given = self._problem.regions[region]
        xy = self._drawn(self._spread.fixture_range(self._chosen(given)))
        height = self._arena.fixture_height(self._problem.fixtures[fixture])
        yaw = self._rng.uniform(*(given.yaw or (0.0, 0.0)))
        self._scene.place_fixture(body_name(fixture), Pose.at((*xy, height), _turn(yaw)))
        self._placed[fixture] = xy

    def _place_object(self, thing: str, support: str) -> None:
        region = self._problem.regions.get(support)
        if region is None:
            self._place_on(thing, support)
        elif region.target == self._problem.workspace:
            self._place_on_workspace(thing, region)
        else:
            self._place_at_site(thing, region)
        self._placed[thing] = tuple(self._scene.data.joint(free_joint(thing)).qpos[:2])

    def _place_on_workspace(self, thing: str, region: Region) -> None:
        category = self._problem.objects[thing]
        shape = object_properties(category)
        height = self._arena.surface_z + GAP - shape.low[2]
        blocked: set[str] = set()
        for _ in range(TRIES):
            given = self._spread.object_range(self._chosen(region), shape.horizontal_radius, self._problem.problem)
            xy = self._drawn(given)
            near = self._too_near(xy, shape.horizontal_radius)
            if not near:
                self._scene.place(body_name(thing), Pose.at((*xy, height), self._yaw(category)))
                near = self._clearance.neighbours(thing)
            if not near:
                return
            blocked |= near
        raise NoFreeSpotError(
            f"{self._problem.name}: no free spot for {thing} in region {region.name} after {ROUNDS * TRIES} "
            f"tries; in the way: {', '.join(sorted(blocked))}. Make the region "
            "larger, or move it away from others in the definition."
        )

    def _place_at_site(self, thing: str, region: Region) -> None:
        shape = object_properties(self._problem.objects[thing])
        self._scene.refresh()
        site = self._scene.site_pose(region.name)
        half = self._scene.model.site(region.name).size
        inside = self._atom_of(thing).predicate == "in"
        # LIBERO: the middle, or a quarter of the region's width about it less the object's radius.
        reach = np.zeros(2) if inside else np.abs(half[:2] / 2 - shape.horizontal_radius)
        offset = np.array([*self._rng.uniform(-reach, reach), 0.0])
        turned = (site @ Pose.at(offset)).position
        bottom = float(turned[2] - np.abs(_rows(site)[2] @ np.diag(half)).sum())
        self._raise(thing, region.name, Pose.at((turned[0], turned[1], bottom - shape.low[2])))

    def _place_on(self, thing: str, support: str) -> None:
        shape, below = (
            object_properties(self._problem.objects[thing]),
            object_properties(self._problem.categories[support]),
        )
        self._scene.refresh()
        pose = self._scene.body_pose(body_name(support))
        self._raise(thing, support, pose.shifted((0.0, 0.0, below.low[2] - shape.low[2] + 0.001)))

    def _raise(self, thing: str, support: str, lowest: Pose) -> None:
        turned = Pose(lowest.position, self._yaw(self._problem.objects[thing]))
        pose = self._clearance.raise_until_free(thing, turned)
        if pose is None:
            raise NoFreeSpotError(
                f"{self._problem.name}: no free spot for {thing} in {support}: something stands in it. Start it "
                "elsewhere in the definition."
            )
        self._scene.place(body_name(thing), pose)

    def _too_near(self, xy: tuple[float, float], radius: float) -> set[str]:
        return {
            other
            for other, (x, y) in self._placed.items()
            if math.hypot(xy[0] - x, xy[1] - y)
            <= radius + object_properties(self._problem.categories[other]).horizontal_radius
        }

    def _drawn(self, given: Range) -> tuple[float, float]:
        x0, y0, x1, y1 = given
        origin = self._arena.offset
        return origin[0] + float(self._rng.uniform(x0, x1)), origin[1] + float(self._rng.uniform(y0, y1))

    def _chosen(self, region: Region) -> Range:
        return region.ranges[int(self._rng.integers(len(region.ranges)))]

    def _yaw(self, category: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return _turn(self._rng.uniform(*self._spread.yaws(start_yaw(category))))

    def _atom_of(self, thing: str) -> Atom:
        return next(atom for atom in self._problem.placements() if atom.arguments[0] == thing)

    def _rank(self, atom: Atom) -> int:
        """LIBERO's order: the workspace, then sites, then other objects."""
        region = self._problem.regions.get(atom.arguments[1])
        return 2 if region is None else 0 if region.target == self._problem.workspace else 1

    def _is_ready(self, atom: Atom) -> bool:
        owner = self._problem.owner(atom.arguments[1])
        return owner == self._problem.workspace or owner in self._placed


def _turn(yaw: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return quaternion_about((0.0, 0.0, 1.0), yaw)


def _rows(pose: Pose) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.column_stack([pose.axis(0), pose.axis(1), pose.axis(2)])


# FOLDED envs.tasks.libero.clearance: What an object would stand in, if it were put somewhere.

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


# FOLDED envs.tasks.libero.settling: Lets the things of a scene come to rest.

BLOCK_S = 0.05  # between two looks [s]
MAX_BLOCKS = 40  # LIBERO's scenes need four
STILL = 2e-5  # nothing moves more than this between two looks [m or rad, or of a quaternion]


def settle(scene: Scene) -> None:
    """Step the physics until nothing moves, then stop everything and let time begin at 0.

    What moves is stopped at every look: things stand, lean or lie within a few looks instead of rocking on. The arm is
    held by its controls.

    Raises:
        SimulationError: Something does not come to rest; says what.
    """
    model, data = scene.model, scene.data
    steps = round(BLOCK_S / model.opt.timestep)
    moved = np.full(model.nq, np.inf)
    for _ in range(MAX_BLOCKS):
        before = data.qpos.copy()
        mujoco.mj_step(model, data, steps)
        data.qvel[:] = 0.0
        moved = np.abs(data.qpos - before)
        if moved.max() <= STILL:
            break
    else:
        raise _restless(scene, moved)
    data.qacc_warmstart[:] = 0.0
    scene.restart_clock()
    scene.refresh()


def _restless(scene: Scene, moved: FloatArray) -> SimulationError:
    model = scene.model
    joint = int(np.searchsorted(model.jnt_qposadr, moved.argmax(), side="right")) - 1
    return SimulationError(
        f"{scene.name}: {model.body(model.jnt_bodyid[joint]).name} does not come to rest within "
        f"{MAX_BLOCKS * BLOCK_S:.0f} s of simulated time. It may start beyond the table's edge, or on something that "
        "does not hold it. Start it elsewhere in the definition."
    )


# FOLDED envs.tasks.libero.no_free_spot: An object that fits nowhere.


class NoFreeSpotError(EpisodeStartError):
    """Nowhere in its region could an object start without being in something; says which object and region."""


# FOLDED envs.tasks.libero.goal_reached_error: A start from which there is nothing to do.


class GoalReachedError(EpisodeStartError):
    """The goal holds when the episode begins, so it would say nothing of who acts; names the goal."""
