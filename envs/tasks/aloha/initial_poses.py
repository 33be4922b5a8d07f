"""Where objects are at the beginning: uniform in a range around a place, which is wider in the spread `wide`."""

import math

from ambidex.envs.task import UniformPose

WIDER = 1.5
FACTORS = {"published": 1.0, "wide": WIDER}
"""Spread -> factor on the ranges of positions and yaws."""


def around(
    centre: tuple[float, float],
    extent: tuple[float, float],
    *,
    height: float = 0.0,
    yaw: float = 0.0,
    turn: float = 0.0,
    wide_turn: float | None = None,
    margin: float = 0.0,
) -> dict[str, UniformPose]:
    """The distributions of a body's initial poses by spread name.

    Args:
        centre: Middle of the range, x and y [m].
        extent: Half lengths of the range along x and y [m].
        height: Of the body's origin above the table [m].
        yaw: Middle of the range of yaws [rad].
        turn: Half of that range; pi means any yaw [rad].
        wide_turn: The same of the spread `wide`; by default `turn` times `WIDER`, at most pi.
        margin: Added to both half lengths in either spread, for what lies at a distance from the place [m].
    """
    widest = min(WIDER * turn, math.pi) if wide_turn is None else wide_turn
    turns = {"published": turn, "wide": widest}
    ranges = {}
    for spread, factor in FACTORS.items():
        dx, dy = (factor * half + margin for half in extent)
        ranges[spread] = UniformPose(
            low=(centre[0] - dx, centre[1] - dy, height),
            high=(centre[0] + dx, centre[1] + dy, height),
            yaw=(yaw - turns[spread], yaw + turns[spread]),
        )
    return ranges
