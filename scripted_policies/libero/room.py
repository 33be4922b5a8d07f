"""How much room a thing leaves beside it for another one."""

import numpy as np

from ambidex.envs.objects.figures import figures
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.scripted_policies.libero.corners import corners_of

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
    sizes = sorted(figures(other).size[:2])
    spare = max(min(min(strip) - sizes[0], max(strip) - sizes[1]) for strip in strips)
    return float(min(spare, ENOUGH))
