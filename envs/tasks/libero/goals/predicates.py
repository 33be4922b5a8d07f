"""LIBERO's predicates, to the letter: pure functions of what a `PredicateWorld` shows.

What may surprise is LIBERO's: nothing asks whether the gripper has let go; a thing is where its body's origin is; On
turns the difference of positions by the site's rotation, not by its inverse; regions of the table need no contact.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError

MAX_OFFSET = 0.03  # On(a, b): horizontal distance of the origins stays below [m]
BELOW_TOP = 0.005  # On(a, region): the origin is above the region's top, less this [m]
ABOVE_TOP = 0.10  # and below its top and this [m]
BELOW_BOTTOM = 0.01  # In(a, region): how far below the region the origin may be [m]
LIFTED = 1.0  # Up(a): height of the origin in the world [m]


class PredicateWorld(Protocol):
    """What predicates ask."""

    def is_region(self, name: str) -> bool:
        """Whether a name is that of a region rather than of a thing."""
        ...

    def owner(self, name: str) -> str:
        """The thing or workspace behind a name: itself, or a region's target."""
        ...

    def category(self, thing: str) -> str:
        """Category of an object or a fixture."""
        ...

    def position(self, thing: str) -> FloatArray:
        """Origin of its body in the world, shape (3,) [m]."""
        ...

    def frames(self, region: str) -> tuple[RegionFrame, ...]:
        """Where a region is now: one frame, or for the workspace one per rectangle."""
        ...

    def on_workspace(self, region: str) -> bool:
        """Whether a region belongs to the table or floor."""
        ...

    def joint_positions(self, name: str) -> FloatArray:
        """All joints of a thing, or those that move the part a region lies on, shape (n,) [m or rad]."""
        ...

    def touching(self, a: str, b: str) -> bool:
        """Whether two things are in contact anywhere."""
        ...


def holds(world: PredicateWorld, atom: Atom) -> bool:
    """Whether an atom is true now."""
    return _PREDICATES[atom.predicate](world, atom)


def _on(world: PredicateWorld, atom: Atom) -> bool:
    thing, support = atom.arguments
    if not world.is_region(support):
        return _on_thing(world, thing, support)
    above = any(_is_above(frame, world.position(thing)) for frame in world.frames(support))
    return above and (world.on_workspace(support) or world.touching(thing, world.owner(support)))


def _on_thing(world: PredicateWorld, thing: str, support: str) -> bool:
    offset = world.position(thing) - world.position(support)
    near = bool(np.hypot(offset[0], offset[1]) < MAX_OFFSET)
    return near and bool(offset[2] >= 0.0) and world.touching(thing, support)


def _is_above(frame: RegionFrame, position: FloatArray) -> bool:
    x, y, z = frame.rotation @ (position - frame.position)
    half_x, half_y, top = frame.half_size
    return bool(abs(x) < half_x and abs(y) < half_y and top - BELOW_TOP < z < top + ABOVE_TOP)


def _in(world: PredicateWorld, atom: Atom) -> bool:
    thing, region = atom.arguments
    return any(_contains(frame, world.position(thing)) for frame in world.frames(region))


def _contains(frame: RegionFrame, position: FloatArray) -> bool:
    reach = np.abs(frame.rotation @ frame.half_size)
    low, high = frame.position - reach, frame.position + reach
    low[2] -= BELOW_BOTTOM
    return bool((position > low).all() and (position < high).all())


def _up(world: PredicateWorld, atom: Atom) -> bool:
    return bool(world.position(atom.arguments[0])[2] >= LIFTED)


def _joint_state(world: PredicateWorld, atom: Atom) -> bool:
    (name,) = atom.arguments
    state = joint_state(atom.predicate, world.category(world.owner(name)))
    return state.holds(world.joint_positions(name).tolist())


_PREDICATES: Mapping[str, Callable[[PredicateWorld, Atom], bool]] = {
    "on": _on,
    "in": _in,
    "open": _joint_state,
    "close": _joint_state,
    "turnon": _joint_state,
    "turnoff": _joint_state,
    "up": _up,
}


# FOLDED envs.tasks.libero.joint_states: When drawers, doors and knobs count as open, closed, on or off, and where they start as such. LIBERO's figures.


@dataclass(frozen=True, kw_only=True)
class JointState:
    """What a predicate says about the joints of one category.

    Attributes:
        start: Interval a joint is drawn from if the episode starts so [m or rad].
        compare: How a joint is compared with `bound`.
        bound: Limit of the predicate [m or rad].
        every: All joints must pass; otherwise one is enough.
    """

    start: tuple[float, float]
    compare: Callable[[float, float], bool]
    bound: float
    every: bool

    def holds(self, positions: Iterable[float]) -> bool:
        """Whether joints at these positions [m or rad] are in this state."""
        passed = [self.compare(position, self.bound) for position in positions]
        return all(passed) if self.every else any(passed)


DRAWER_OPEN = JointState(start=(-0.16, -0.14), compare=operator.lt, bound=-0.14, every=False)
DRAWER_CLOSED = JointState(start=(0.0, 0.005), compare=operator.gt, bound=0.0, every=True)

JOINT_STATES: Mapping[str, Mapping[str, JointState]] = {
    "open": {
        "wooden_cabinet": DRAWER_OPEN,
        "white_cabinet": DRAWER_OPEN,
        "microwave": JointState(start=(-2.094, -1.3), compare=operator.lt, bound=-1.3, every=False),
    },
    "close": {
        "wooden_cabinet": DRAWER_CLOSED,
        "white_cabinet": DRAWER_CLOSED,
        "microwave": JointState(start=(-0.005, 0.0), compare=operator.gt, bound=-0.005, every=True),
    },
    "turnon": {"flat_stove": JointState(start=(0.5, 2.1), compare=operator.ge, bound=0.5, every=False)},
    "turnoff": {"flat_stove": JointState(start=(-0.005, 0.0), compare=operator.lt, bound=0.0, every=True)},
}
"""Predicate -> category -> state."""


def joint_state(predicate: str, category: str) -> JointState:
    """What `predicate` says about the joints of `category`.

    Raises:
        UsageError: Nothing: such a thing has no such state.
    """
    states = JOINT_STATES[predicate]
    if category not in states:
        raise UsageError(f"{predicate} cannot be said of a {category}, only of: {', '.join(states)}.")
    return states[category]
