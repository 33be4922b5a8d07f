"""LIBERO's predicates, reproduced exactly: functions of a `ModelWorld`.

LIBERO's peculiarities are kept. No predicate checks whether the gripper has released an object. The position of an
object is its body's origin. On rotates the difference of positions by the site's rotation instead of by its inverse.
Regions of the table need no contact.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.world import ModelWorld, RegionFrame
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError

MAX_OFFSET = 0.03  # On(a, b): limit of the horizontal distance of the origins [m]
BELOW_TOP = 0.005  # On(a, region): the origin is above the region's top less this [m],
ABOVE_TOP = 0.10  # and below its top plus this [m]
BELOW_BOTTOM = 0.01  # In(a, region): how far below the region the origin may be [m]
LIFTED = 1.0  # Up(a): height of the origin in the world [m]


def holds(world: ModelWorld, atom: Atom) -> bool:
    """Whether an atom is true now."""
    return _PREDICATES[atom.predicate](world, atom)


def _on(world: ModelWorld, atom: Atom) -> bool:
    instance, support = atom.arguments
    if not world.is_region(support):
        return _on_instance(world, instance, support)
    above = any(_is_above(frame, world.position(instance)) for frame in world.frames(support))
    return above and (world.on_workspace(support) or world.touching(instance, world.owner(support)))


def _on_instance(world: ModelWorld, instance: str, support: str) -> bool:
    offset = world.position(instance) - world.position(support)
    near = bool(np.hypot(offset[0], offset[1]) < MAX_OFFSET)
    return near and bool(offset[2] >= 0.0) and world.touching(instance, support)


def _is_above(frame: RegionFrame, position: FloatArray) -> bool:
    x, y, z = frame.rotation @ (position - frame.position)
    half_x, half_y, top = frame.half_size
    return bool(abs(x) < half_x and abs(y) < half_y and top - BELOW_TOP < z < top + ABOVE_TOP)


def _in(world: ModelWorld, atom: Atom) -> bool:
    instance, region = atom.arguments
    return any(_contains(frame, world.position(instance)) for frame in world.frames(region))


def _contains(frame: RegionFrame, position: FloatArray) -> bool:
    reach = np.abs(frame.rotation @ frame.half_size)
    low, high = frame.position - reach, frame.position + reach
    low[2] -= BELOW_BOTTOM
    return bool((position > low).all() and (position < high).all())


def _up(world: ModelWorld, atom: Atom) -> bool:
    return bool(world.position(atom.arguments[0])[2] >= LIFTED)


def _joint_state(world: ModelWorld, atom: Atom) -> bool:
    (name,) = atom.arguments
    state = joint_state(atom.predicate, world.category(world.owner(name)))
    return state.holds(world.joint_positions(name).tolist())


_PREDICATES: Mapping[str, Callable[[ModelWorld, Atom], bool]] = {
    "on": _on,
    "in": _in,
    "open": _joint_state,
    "close": _joint_state,
    "turnon": _joint_state,
    "turnoff": _joint_state,
    "up": _up,
}


@dataclass(frozen=True, kw_only=True)
class JointState:
    """What Open, Close, TurnOn or TurnOff means for the joints of one category. LIBERO's numbers.

    Attributes:
        initial: Interval that a joint is drawn from if the episode starts in this state [m or rad].
        compare: How a joint is compared with `bound`.
        bound: Limit of the predicate [m or rad].
        every: All joints must pass; otherwise one is enough.
    """

    initial: tuple[float, float]
    compare: Callable[[float, float], bool]
    bound: float
    every: bool

    def holds(self, positions: Iterable[float]) -> bool:
        """Whether joints at these positions [m or rad] are in this state."""
        passed = [self.compare(position, self.bound) for position in positions]
        return all(passed) if self.every else any(passed)


DRAWER_OPEN = JointState(initial=(-0.16, -0.14), compare=operator.lt, bound=-0.14, every=False)
DRAWER_CLOSED = JointState(initial=(0.0, 0.005), compare=operator.gt, bound=0.0, every=True)

JOINT_STATES: Mapping[str, Mapping[str, JointState]] = {
    "open": {
        "wooden_cabinet": DRAWER_OPEN,
        "white_cabinet": DRAWER_OPEN,
        "microwave": JointState(initial=(-2.094, -1.3), compare=operator.lt, bound=-1.3, every=False),
    },
    "close": {
        "wooden_cabinet": DRAWER_CLOSED,
        "white_cabinet": DRAWER_CLOSED,
        "microwave": JointState(initial=(-0.005, 0.0), compare=operator.gt, bound=-0.005, every=True),
    },
    "turnon": {"flat_stove": JointState(initial=(0.5, 2.1), compare=operator.ge, bound=0.5, every=False)},
    "turnoff": {"flat_stove": JointState(initial=(-0.005, 0.0), compare=operator.lt, bound=0.0, every=True)},
}
"""Predicate -> category -> state."""


def joint_state(predicate: str, category: str) -> JointState:
    """The state of the joints of `category` that `predicate` checks.

    Raises:
        UsageError: The category has no such state.
    """
    states = JOINT_STATES[predicate]
    if category not in states:
        problem = f"Predicate {predicate} does not apply to {category}, only to: {', '.join(states)}."
        raise UsageError(problem, got=category, expected=list(states))
    return states[category]
