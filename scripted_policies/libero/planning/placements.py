"""Where a thing has to be for a goal atom: poses of its body, tried in a copy of the world."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, RegionFrame
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import corners_of
from ambidex.scripted_policies.libero.lookahead.collision import Probe
from ambidex.scripted_policies.libero.lookahead.resting import Falls, Lowering

ABOVE = 0.16  # height over a place from which a thing is lowered [m]
FINE = (0.07, -0.07, 0.15, -0.15, 0.22, -0.22, 0.3, -0.3)
WIDE, NARROW = 0.01, 0.004  # how far off a thing may come to stand [m]
SHARES = (0.0, 0.45, -0.45, 0.8, -0.8)  # of a region's half size, tried as positions
EVEN = 0.006  # difference in height between spots of one floor [m]
TURNS = tuple(math.radians(angle) for angle in range(-150, 181, 30))  # of the thing between grasp and place
WALL_GAPS = (0.004, -0.004)  # between a thing and the end of a region it shares, whose walls may be further out [m]
DEPTH = 0.4  # how far a thing is lowered at most [m]


class Places:
    """Poses at which a goal atom of On or In will hold."""

    def __init__(self, world: ModelWorld, probe: Probe, falls: Falls, goal: Sequence[Atom]) -> None:
        self._world = world
        self._probe, self._lowering = probe, Lowering(probe)
        self._falls = falls
        self._goal = tuple(goal)
        self._seen, self._known = 0, dict[tuple[Atom, float], list[Pose]]()

    def narrow(self, atom: Atom) -> bool:
        """Whether the thing has to be square to the place, and lowered to its floor."""
        return atom.predicate == "in" and is_narrow(self._world.frames(atom.arguments[1])[0], self._category(atom))

    def turns(self, atom: Atom, yaw: float) -> list[float]:
        """How far the thing may be turned between grasp and place, little first, from a yaw [rad]."""
        if not self.narrow(atom):
            return self._flat(atom, yaw, sorted(TURNS, key=abs))
        frame = self._world.frames(atom.arguments[1])[0]
        turns = [math.remainder(square - yaw, 2 * math.pi) for square in square_yaws(frame, self._category(atom))]
        return sorted(turns, key=abs)

    def of(self, atom: Atom, yaw: float, centre: FloatArray) -> Iterator[Pose]:
        """Poses of the thing at rest, better ones first, for one yaw of the thing.

        Args:
            atom: On or In.
            yaw: How the thing is turned about the vertical [rad].
            centre: Centre of the thing's box in its own frame, shape (3,) [m].
        """
        found = self._rests(atom, yaw, centre)
        lowest = min((float(rest.position[2]) for rest in found), default=0.0)
        # What comes to rest higher than elsewhere in the region stands on an edge.
        flat = [rest for rest in found if rest.position[2] < lowest + EVEN and self._is_down(atom, rest)]
        if self._is_shared(atom):
            flat.sort(key=lambda rest: (-self._room(atom, rest), self._off_centre(atom, rest)))
        for margin in (WIDE, NARROW):
            yield from (rest for rest in flat if self._holds_around(atom, rest, margin))

    def _rests(self, atom: Atom, yaw: float, centre: FloatArray) -> list[Pose]:
        """Where the thing comes to rest at a yaw when it is lowered on any spot; looked for once."""
        if self._seen != self._probe.renewals:
            self._seen, self._known = self._probe.renewals, {}
        key = (atom, round(yaw, 3))
        if key not in self._known:
            turned = Pose.at((0, 0, 0), quaternion_about((0, 0, 1), yaw))
            shift = (turned @ Pose.at((*centre[:2], 0.0))).position
            spots = itertools.chain(self._spots(atom, shift), self._beside_walls(atom, turned.quaternion))
            rests = [self._lowered(atom, Pose(spot, turned.quaternion)) for spot in spots]
            self._known[key] = [rest for rest in rests if rest is not None]
        return self._known[key]

    def _flat(self, atom: Atom, yaw: float, turns: list[float]) -> list[float]:
        """The same turns; where things share a place, those in which the thing gets down lowest, to its floor."""
        if not self._is_shared(atom):
            return turns
        centre = object_properties(self._category(atom)).centre
        levels = [
            min((float(rest.position[2]) for rest in self._rests(atom, yaw + turn, centre)), default=math.inf)
            for turn in turns
        ]
        lowest = min(levels)
        return [turn for turn, level in zip(turns, levels, strict=True) if level <= lowest + EVEN]

    def _is_shared(self, atom: Atom) -> bool:
        """Whether something else belongs into the same place."""
        return atom.predicate == "in" and any(_is_beside(other, atom) for other in self._goal)

    def _beside_walls(self, atom: Atom, quaternion: FloatArray) -> Iterator[FloatArray]:
        """Positions above a shared place at which the thing's box is next to one wall, or to two, (3,) [m]."""
        if not self._is_shared(atom):
            return
        corners = corners_of(self._category(atom), quaternion)
        low, high = corners.min(axis=0), corners.max(axis=0)
        for frame in self._world.frames(atom.arguments[1]):
            half = np.abs(frame.rotation @ frame.half_size)
            above = frame.position + np.array([0.0, 0.0, half[2] + ABOVE])
            ends = [-(low + high) / 2]
            ends += [end for gap in WALL_GAPS for end in (gap - half - low, half - gap - high)]
            for x, y in itertools.product(ends, ends):
                yield above + np.array([x[0], y[1], 0.0])

    def settles(self, atom: Atom, pose: Pose) -> bool:
        """Whether the thing, let go at a pose, comes to rest where the atom holds."""
        return self._falls.reach(atom, pose)

    def _room(self, atom: Atom, rest: Pose) -> float:
        """How well what is still to come into the same place fits beside the thing, up to enough [m]."""
        later = [other for other in self._goal if _is_beside(other, atom) and not holds(self._world, other)]
        if atom.predicate != "in" or not later:
            return 0.0
        (frame, *_) = self._world.frames(atom.arguments[1])
        room = min(room_beside(frame, self._category(atom), rest, self._category(other)) for other in later)
        return round(room, 3)

    def _off_centre(self, atom: Atom, rest: Pose) -> float:
        """How far a thing's origin is from the middle of its place, level [m]."""
        (frame, *_) = self._world.frames(atom.arguments[1])
        return float(np.hypot(*(rest.position - frame.position)[:2]))

    def _spots(self, atom: Atom, shift: FloatArray) -> Iterator[FloatArray]:
        """Positions of the body's origin above where it may stand, (3,) [m]."""
        support = atom.arguments[1]
        if not self._world.is_region(support):
            position = self._world.position(support)
            above = position + np.array([0.0, 0.0, ABOVE])
            yield from (above, position - shift * [0.5, 0.5, 0.0] + [0.0, 0.0, ABOVE])
            return
        for frame in self._world.frames(support):
            half = np.abs(frame.rotation @ frame.half_size)
            above = frame.position + np.array([0.0, 0.0, half[2] + ABOVE])
            yield above - shift
            grid = [*itertools.product(SHARES, SHARES), *((s, 0.0) for s in FINE), *((0.0, s) for s in FINE)]
            for x, y in sorted(grid, key=lambda s: math.hypot(*s)):
                yield above + half * [x, y, 0.0]

    def _lowered(self, atom: Atom, above: Pose) -> Pose | None:
        height = self._lowering.rest_height(atom.arguments[0], above, DEPTH, self._support(atom))
        return None if height is None else above.shifted((0.0, 0.0, height - above.position[2]))

    def _is_down(self, atom: Atom, rest: Pose) -> bool:
        """Whether a thing in a narrow place is on its floor, not on its walls."""
        if not self.narrow(atom):
            return True
        bottom = float(rest.position[2] + object_properties(self._category(atom)).low[2])
        return on_floor(self._world.frames(atom.arguments[1])[0], bottom)

    def _category(self, atom: Atom) -> str:
        return self._world.category(atom.arguments[0])

    def _support(self, atom: Atom) -> str | None:
        """What the thing may touch when it comes to rest."""
        if atom.predicate == "in":
            return None
        name = atom.arguments[1]
        on_room = self._world.is_region(name) and self._world.on_workspace(name)
        return "" if on_room else self._world.owner(name)

    def _holds_around(self, atom: Atom, rest: Pose, margin: float) -> bool:
        """Whether the atom holds at a pose and a little to each side of it; that things touch is taken for granted."""
        for x, y in ((margin, 0.0), (-margin, 0.0), (0.0, margin), (0.0, -margin)):
            self._probe.place(atom.arguments[0], rest.shifted((x, y, 0.002)))
            self._probe.update()
            if not holds(self._world, atom):
                return False
        return True


def _is_beside(other: Atom, atom: Atom) -> bool:
    return other.predicate == "in" and other.arguments[1] == atom.arguments[1] and other != atom


# FOLDED scripted_policies.libero.room: How much room a thing leaves beside it for another one.

ENOUGH = 0.02  # room around a thing, beyond which more is no better [m]


def room_beside(frame: RegionFrame, category: str, rest: Pose, other: str) -> float:
    """How much larger than another thing the best strip of a region is beside a thing, both ways [m].

    Negative when it does not fit; at most ENOUGH.

    Args:
        frame: The region.
        category: Of the thing.
        rest: Where it is.
        other: Category of the thing that comes beside it.
    """
    corners = (rest.position + corners_of(category, rest.quaternion) - frame.position) @ frame.rotation
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    half = np.abs(frame.half_size[:2])
    strips = [
        (free, 2 * half[1 - axis]) for axis in (0, 1) for free in (low[axis] + half[axis], half[axis] - high[axis])
    ]
    sizes = sorted(object_properties(other).size[:2])
    spare = max(min(min(strip) - sizes[0], max(strip) - sizes[1]) for strip in strips)
    return float(min(spare, ENOUGH))


# FOLDED scripted_policies.libero.compartment: Places open above, and so narrow that a long thing stands in them only when it is square to the walls.

OBLONG = 1.5  # length by width, from which a thing counts as long
SPARE = 1.2  # width of a region by length of a thing, below which the region is narrow for it
ON_FLOOR = 0.02  # of a thing's lowest point above the region's lower end, at most [m]
QUARTERS = tuple(quarter * math.pi / 2 for quarter in range(4))


def is_narrow(frame: RegionFrame, category: str) -> bool:
    """Whether a thing has to be square to a region to stand in it with room for the fingers.

    What is longer than the region, such as a bottle in a basket, is dropped in and lies as it likes, and so does what
    lies from the beginning, such as a bottle of ketchup in a drawer.
    """
    *level, height = object_properties(category).size
    width, length = sorted(level)
    least, most = sorted(2.0 * frame.half_size[:2])
    return bool(height > width and length > OBLONG * width and least < SPARE * length < SPARE * most)


def square_yaws(frame: RegionFrame, category: str) -> tuple[float, ...]:
    """How a thing may be turned about the vertical so that it fits [rad]."""
    facing = math.atan2(frame.rotation[1, 0], frame.rotation[0, 0])
    x, y = object_properties(category).size[:2]
    fits = [bool((2 * frame.half_size[:2] > size).all()) for size in ((x, y), (y, x))]
    return tuple(facing + quarter for number, quarter in enumerate(QUARTERS) if fits[number % 2])


def on_floor(frame: RegionFrame, lowest: float) -> bool:
    """Whether the lowest point of a thing [m] is down where the region ends."""
    bottom = frame.position[2] - np.abs(frame.rotation @ frame.half_size)[2]
    return bool(lowest < bottom + ON_FLOOR)
