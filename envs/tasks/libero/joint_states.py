"""When drawers, doors and knobs count as open, closed, on or off, and where they start as such. LIBERO's figures."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ambidex.errors import UsageError


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
