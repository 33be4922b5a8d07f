"""Confidence intervals of rates."""

import math

Z_95 = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def wilson_interval(successes: int, trials: int, *, z: float = Z_95) -> tuple[float, float]:
    """Confidence interval (low, high) of a success rate, 95 % unless `z` is given; (0, 1) without trials.

    The score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927). Unlike the textbook interval it stays within 0..1 and is right for few trials and rates near 0 or 1.

    Raises:
        ValueError: Not 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials: expected 0 <= successes <= trials.")
    if trials == 0:
        return 0.0, 1.0
    rate, weight = successes / trials, z * z / trials
    centre = (rate + weight / 2) / (1 + weight)
    margin = z * math.sqrt(rate * (1 - rate) / trials + weight / (4 * trials)) / (1 + weight)
    low = 0.0 if successes == 0 else centre - margin  # exact at the ends, where rounding would leave 1e-17
    high = 1.0 if successes == trials else centre + margin
    return low, high


def format_rate(successes: int, trials: int) -> str:
    """A rate with its interval, e.g. "50/52 = 96.2 % (95 % interval 87.0 to 98.9)"."""
    low, high = wilson_interval(successes, trials)
    rate = f"{100 * successes / trials:.1f} %" if trials else "unknown"
    return f"{successes}/{trials} = {rate} (95 % interval {100 * low:.1f} to {100 * high:.1f})"
