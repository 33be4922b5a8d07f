"""Confidence intervals of rates."""

import math
from collections.abc import Sequence

TAIL = 0.025  # probability beyond each end of an interval
BOOTSTRAP_DRAWS = 10_000
Z_95 = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def wilson_interval(successes: int, trials: int, *, z: float = Z_95) -> tuple[float, float]:
    """Confidence interval (low, high) of a success rate, 95 % unless `z` is given; (0, 1) without trials.

    The score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927). It stays within 0..1 and covers 95 % of the time on average over true rates, but near 0 and 1 as
    little as 84 % of the time (docs/decisions/0020).

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


def exact_interval(successes: int, trials: int) -> tuple[float, float]:
    """The exact 95 % confidence interval (low, high) of a success rate; (0, 1) without trials.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934). It covers every true rate with probability 0.95 or more, which Wilson's does not near 0 and 1.
    """
    from scipy.special import betaincinv  # heavy

    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, TAIL)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - TAIL)) if failures else 1.0
    return low, high


def tasks_interval(counts: Sequence[tuple[int, int]]) -> tuple[float, float] | None:
    """95 % interval of the mean rate of tasks like these, from (successes, trials) of each; None if it is unknown.

    Resamples tasks: the expanded percentile bootstrap, which allows for few tasks (T. Hesterberg, "What teachers should
    know about the bootstrap", The American Statistician 69, 2015). Equal rates of all tasks, or one task, say nothing
    about how tasks differ.
    """
    import numpy as np
    from scipy.special import ndtr, stdtrit  # heavy

    rates = np.array([successes / trials for successes, trials in counts if trials])
    count = len(rates)
    if len(set(rates)) < 2:
        return None
    means = np.random.default_rng(0).choice(rates, (BOOTSTRAP_DRAWS, count)).mean(axis=1)
    tail = ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, TAIL))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def is_near_an_end(successes: int, trials: int) -> bool:
    """Whether Wilson's interval may miss a rate near 0 or 1: at most 20 %, at least 80 %, or fewer than 20 trials."""
    return trials > 0 and (trials < 20 or 5 * min(successes, trials - successes) <= trials)


def format_rate(successes: int, trials: int) -> str:
    """A rate with its interval, e.g. "23/52 = 44.2 % (95 % interval 31.6 to 57.7)"; near 0 and 100 % also the exact."""
    low, high = wilson_interval(successes, trials)
    rate = f"{100 * successes / trials:.1f} %" if trials else "unknown"
    exact = ""
    if is_near_an_end(successes, trials):
        exact = ", exact {:.2f} to {:.2f}".format(*(100 * end for end in exact_interval(successes, trials)))
    return f"{successes}/{trials} = {rate} (95 % interval {100 * low:.1f} to {100 * high:.1f}{exact})"
