"""Placements of an object for a goal atom: poses at which it rests and the atom holds.

They are tried in the collision checker's copy of the world. A region is narrow for an object that fits only when it is
aligned with the walls, such as a book in a compartment of the desk caddy.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_matrix
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, RegionFrame, body_name
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import Stance, box_corners, box_size, initial_stance
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker
from ambidex.scripted_policies.libero.lookahead.resting import RestHeightFinder

ABOVE = 0.16  # height above a region from which an object is lowered [m]
DEPTH = 0.4  # how far an object is lowered at most [m]
SHARES = (0.0, 0.45, -0.45, 0.8, -0.8)  # of a region's half size, tried as positions along both axes
AXIS_SHARES = (0.07, -0.07, 0.15, -0.15, 0.22, -0.22, 0.3, -0.3)  # likewise, along one axis only
WALL_GAPS = (0.004, -0.004)  # between an object and the end of a shared region, whose walls may be further out [m]
MAX_ERRORS = (0.01, 0.004)  # at which the atom still has to hold, for better and for worse placements [m]
LEVEL = 0.006  # difference in height between positions on one floor [m]
MAX_POSES = 3  # of an object at one yaw
TURNS = tuple(math.radians(angle) for angle in range(-150, 181, 30))  # of the object between grasp and placement
MAX_CLEARANCE = 0.02  # beside an object, beyond which more is no better [m]
ELONGATED = 1.5  # length by width from which an object counts as long
SPARE = 1.2  # width of a region by length of an object, below which the region is narrow for it
ON_FLOOR = 0.02  # height of an object's lowest point above the region's lower end, at most [m]
TIPPED = tuple(math.radians(angle) for angle in (75, 65, 55, 45))  # of an object that is let go to fall flat
TIPPED_SPARE = 0.01  # of a region beyond the object that lies in it, at least [m]
TIPPED_ABOVE = 0.012  # of its lowest point above the floor [m]
QUARTER_TURNS = tuple(quarter * math.pi / 2 for quarter in range(4))


class Placements:
    """Placements for the atoms of a goal with the predicates On and In; the world is the collision checker's copy."""

    def __init__(self, world: ModelWorld, collisions: CollisionChecker, goal: Sequence[Atom]) -> None:
        self._world, self._collisions, self._goal = world, collisions, tuple(goal)
        self._rest_heights = RestHeightFinder(collisions)
        self._rests: dict[tuple[Atom, Stance], list[Pose]] = collisions.new_cache()
        self._best: dict[tuple[Atom, Stance], list[Pose]] = collisions.new_cache()

    def is_narrow(self, atom: Atom) -> bool:
        """Whether the object has to be aligned with the region and lowered to its floor."""
        return atom.predicate == "in" and is_narrow(self._frame(atom), self._category(atom))

    def turns(self, atom: Atom, stance: Stance) -> list[float]:
        """How far the object may be turned from a stance between grasp and placement [rad], smallest turn first."""
        if not self.is_narrow(atom):
            return self._lowest_turns(atom, stance, sorted(TURNS, key=abs))
        aligned = aligned_yaws(self._frame(atom), self._category(atom))
        return sorted((math.remainder(angle - stance.yaw, 2 * math.pi) for angle in aligned), key=abs)

    def best_poses(self, atom: Atom, stance: Stance) -> list[Pose]:
        """The best poses of the object at rest in one stance, at most MAX_POSES."""
        if (atom, stance) not in self._best:
            self._best[atom, stance] = list(itertools.islice(self._poses(atom, stance), MAX_POSES))
        return self._best[atom, stance]

    def tipped_poses(self, atom: Atom, stance: Stance) -> Iterator[Pose]:
        """Poses just above the floor of a region, in which the object is tilted so far that it falls flat."""
        category, frame = self._category(atom), self._frame(atom)
        half = np.abs(frame.rotation @ frame.half_size)
        length = box_size(category, stance.up)[2]
        directions = [quarter for quarter in (0, 2, 1, 3) if length + TIPPED_SPARE < 2.0 * half[quarter % 2]]
        for quarter, tilt, turn in itertools.product(directions, TIPPED, QUARTER_TURNS):
            towards = quarter * math.pi / 2
            axis = (-math.sin(towards), math.cos(towards), 0.0)
            quaternion = quaternion_product(quaternion_about(axis, tilt), stance.turned(turn).quaternion)
            corners = box_corners(category, quaternion)
            low, high = corners.min(axis=0), corners.max(axis=0)
            level = frame.position - (low + high) / 2
            yield Pose(np.array([*level[:2], frame.position[2] - half[2] - low[2] + TIPPED_ABOVE]), quaternion)

    def _poses(self, atom: Atom, stance: Stance) -> Iterator[Pose]:
        rests = self._rest_poses(atom, stance)
        lowest = min((float(rest.position[2]) for rest in rests), default=0.0)
        # An object that rests higher than elsewhere in the region stands on an edge.
        flat = [rest for rest in rests if rest.position[2] < lowest + LEVEL and self._is_on_floor(atom, rest)]
        if self._is_shared(atom):
            centre = self._frame(atom).position
            flat.sort(key=lambda r: (-self._clearance(atom, r), float(np.hypot(*(r.position - centre)[:2]))))
        for error in MAX_ERRORS:
            yield from (rest for rest in flat if self._holds_around(atom, rest, error))

    def _rest_poses(self, atom: Atom, stance: Stance) -> list[Pose]:
        """Where the object comes to rest in a stance when it is lowered at each position."""
        key = (atom, Stance(stance.up, round(stance.yaw, 3)))
        if key not in self._rests:
            quaternion = stance.quaternion
            positions = itertools.chain(self._positions(atom, quaternion), self._beside_walls(atom, quaternion))
            rests = [self._lowered(atom, Pose(position, quaternion)) for position in positions]
            self._rests[key] = [rest for rest in rests if rest is not None]
        return self._rests[key]

    def _lowest_turns(self, atom: Atom, stance: Stance, turns: list[float]) -> list[float]:
        """The same turns; in a shared region only those in which the object gets down lowest, to the floor."""
        if not self._is_shared(atom):
            return turns
        heights = [
            min((float(rest.position[2]) for rest in self._rest_poses(atom, stance.turned(turn))), default=math.inf)
            for turn in turns
        ]
        lowest = min(heights)
        return [turn for turn, height in zip(turns, heights, strict=True) if height <= lowest + LEVEL]

    def _positions(self, atom: Atom, quaternion: FloatArray) -> Iterator[FloatArray]:
        """Positions of the object's origin above where it may stand in an orientation (wxyz), (3,) [m]."""
        support = atom.arguments[1]
        if not self._world.is_region(support):
            position = self._world.position(support)
            above = position + np.array([0.0, 0.0, ABOVE])
            # The origin of a mug is in the middle of its box, which includes the handle: it stands by its mass.
            mass = rotation_matrix(quaternion) @ self._collisions.model.body(body_name(atom.arguments[0])).ipos
            yield from (above - mass * [1.0, 1.0, 0.0], above)
            return
        shift = box_corners(self._category(atom), quaternion).mean(axis=0) * [1.0, 1.0, 0.0]
        for frame in self._world.frames(support):
            half = np.abs(frame.rotation @ frame.half_size)
            above = frame.position + np.array([0.0, 0.0, half[2] + ABOVE])
            yield above - shift
            grid = [
                *itertools.product(SHARES, SHARES),
                *((s, 0.0) for s in AXIS_SHARES),
                *((0.0, s) for s in AXIS_SHARES),
            ]
            for x, y in sorted(grid, key=lambda s: math.hypot(*s)):
                yield above + half * [x, y, 0.0]

    def _beside_walls(self, atom: Atom, quaternion: FloatArray) -> Iterator[FloatArray]:
        """Positions above a shared region at which the object's box is next to one wall or to two, (3,) [m]."""
        if not self._is_shared(atom):
            return
        corners = box_corners(self._category(atom), quaternion)
        low, high = corners.min(axis=0), corners.max(axis=0)
        for frame in self._world.frames(atom.arguments[1]):
            half = np.abs(frame.rotation @ frame.half_size)
            above = frame.position + np.array([0.0, 0.0, half[2] + ABOVE])
            offsets = [-(low + high) / 2]
            offsets += [offset for gap in WALL_GAPS for offset in (gap - half - low, half - gap - high)]
            for x, y in itertools.product(offsets, offsets):
                yield above + np.array([x[0], y[1], 0.0])

    def _lowered(self, atom: Atom, above: Pose) -> Pose | None:
        height = self._rest_heights.rest_height(atom.arguments[0], above, DEPTH, self._support(atom))
        return None if height is None else above.shifted((0.0, 0.0, height - above.position[2]))

    def _support(self, atom: Atom) -> str | None:
        """What the object may touch at rest, as in `RestHeightFinder.rest_height`."""
        if atom.predicate == "in":
            return None
        name = atom.arguments[1]
        on_arena = self._world.is_region(name) and self._world.on_workspace(name)
        return "" if on_arena else self._world.owner(name)

    def _is_on_floor(self, atom: Atom, rest: Pose) -> bool:
        """Whether an object in a narrow region rests on its floor, not on its walls; true in all other regions."""
        lowest = float(rest.position[2] + box_corners(self._category(atom), rest.quaternion)[:, 2].min())
        return not self.is_narrow(atom) or is_on_floor(self._frame(atom), lowest)

    def _is_shared(self, atom: Atom) -> bool:
        """Whether another object belongs in the same region."""
        return atom.predicate == "in" and any(_share_region(other, atom) for other in self._goal)

    def _clearance(self, atom: Atom, rest: Pose) -> float:
        """Clearance beside the object for what has yet to come into the same region [m]; see `clearance_beside`."""
        later = [other for other in self._goal if _share_region(other, atom) and not holds(self._world, other)]
        if atom.predicate != "in" or not later:
            return 0.0
        frame, category = self._frame(atom), self._category(atom)
        return round(min(clearance_beside(frame, category, rest, self._category(other)) for other in later), 3)

    def _holds_around(self, atom: Atom, rest: Pose, error: float) -> bool:
        """Whether the atom holds with the object a little to each side; contact with the support is assumed."""
        for x, y in ((error, 0.0), (-error, 0.0), (0.0, error), (0.0, -error)):
            self._collisions.place(atom.arguments[0], rest.shifted((x, y, 0.002)))
            self._collisions.update_poses()
            if not holds(self._world, atom):
                return False
        return True

    def _category(self, atom: Atom) -> str:
        return self._world.category(atom.arguments[0])

    def _frame(self, atom: Atom) -> RegionFrame:
        return self._world.frames(atom.arguments[1])[0]


def _share_region(other: Atom, atom: Atom) -> bool:
    return other.predicate == "in" and other.arguments[1] == atom.arguments[1] and other != atom


def clearance_beside(frame: RegionFrame, category: str, rest: Pose, other: str) -> float:
    """How much larger than another object the best free strip of a region beside an object at rest is [m].

    Negative if the other object does not fit there; at most MAX_CLEARANCE.
    """
    corners = (rest.position + box_corners(category, rest.quaternion) - frame.position) @ frame.rotation
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    half = np.abs(frame.half_size[:2])
    strips = [
        (free, 2 * half[1 - axis]) for axis in (0, 1) for free in (low[axis] + half[axis], half[axis] - high[axis])
    ]
    sizes = sorted(box_size(other, initial_stance(other).up)[:2])
    spare = max(min(min(strip) - sizes[0], max(strip) - sizes[1]) for strip in strips)
    return float(min(spare, MAX_CLEARANCE))


def is_narrow(frame: RegionFrame, category: str) -> bool:
    """Whether an object has to be aligned with a region to stand in it with room for the fingers.

    Objects longer than the region, such as a bottle in a basket, are dropped and need no alignment. Neither do objects
    that lie flat, such as a bottle of ketchup in a drawer.
    """
    *level, height = box_size(category, initial_stance(category).up)
    width, length = sorted(level)
    least, most = sorted(2.0 * frame.half_size[:2])
    return bool(height > width and length > ELONGATED * width and least < SPARE * length < SPARE * most)


def aligned_yaws(frame: RegionFrame, category: str) -> tuple[float, ...]:
    """Yaws at which an object fits a narrow region [rad]."""
    yaw = math.atan2(frame.rotation[1, 0], frame.rotation[0, 0])
    x, y, _ = box_size(category, initial_stance(category).up)
    fits = [bool((2 * frame.half_size[:2] > size).all()) for size in ((x, y), (y, x))]
    return tuple(yaw + turn for number, turn in enumerate(QUARTER_TURNS) if fits[number % 2])


def is_on_floor(frame: RegionFrame, lowest: float) -> bool:
    """Whether an object whose lowest point has this height [m] is down on the floor of a region."""
    bottom = frame.position[2] - np.abs(frame.rotation @ frame.half_size)[2]
    return bool(lowest < bottom + ON_FLOOR)
