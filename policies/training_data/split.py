"""Which episodes are trained on and which are held out."""

import numpy as np

from ambidex.errors import UsageError


def split(episodes: int, fraction: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Training and validation episodes, each in ascending order; a pure function of its arguments.

    Args:
        episodes: How many there are.
        fraction: Share to hold out, in [0, 1). Of two episodes and more at least one is held out and one left.
        seed: Decides which.

    Raises:
        UsageError: The fraction is out of range.
    """
    if not 0.0 <= fraction < 1.0:
        raise UsageError(f"--validation-fraction {fraction}: expected a number from 0 to below 1.")
    held_out = 0
    if fraction > 0.0 and episodes > 1:
        held_out = min(max(1, round(fraction * episodes)), episodes - 1)
    order = np.random.default_rng([seed, episodes]).permutation(episodes).tolist()
    return tuple(sorted(order[held_out:])), tuple(sorted(order[:held_out]))
