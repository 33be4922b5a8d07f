"""How many episodes a paired comparison needs."""

import math
from functools import lru_cache

import numpy as np
from scipy.stats import binom, norm


@lru_cache(maxsize=4096)
def pairs_needed(discordance: float, difference: float, *, alpha: float, power: float) -> int:
    """Pairs with which the exact McNemar test detects a true difference with probability `power`.

    Args:
        discordance: Probability that exactly one of the two succeeds; values below `difference`, which are impossible,
            count as `difference`.
        difference: True difference of the success rates, above 0.
        alpha: Level of the test, two-sided.
        power: Probability of a significant result.

    Raises:
        ValueError: Not 0 < difference <= 1, or the discordance is not within 0..1.
    """
    if not (0 < difference <= 1 and 0 <= discordance <= 1):
        raise ValueError(
            f"Difference {difference}, discordance {discordance}: expected both within 0..1, the first > 0."
        )
    share = max(discordance, difference)
    low, high = 0, approximate_pairs(share, difference, alpha=alpha, power=power)
    while exact_power(high, share, difference, alpha=alpha) < power:
        low, high = high, high + max(8, high // 4)
    while high - low > 1:
        middle = (low + high) // 2
        if exact_power(middle, share, difference, alpha=alpha) < power:
            low = middle
        else:
            high = middle
    return high


def approximate_pairs(discordance: float, difference: float, *, alpha: float, power: float) -> int:
    """Pairs that McNemar's test needs by the normal approximation, slightly fewer than the exact test needs.

    R. J. Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43
    (1987).
    """
    level, detection = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    spread = level * math.sqrt(discordance) + detection * math.sqrt(discordance - difference**2)
    return math.ceil((spread / difference) ** 2)


def exact_power(pairs: int, discordance: float, difference: float, *, alpha: float) -> float:
    """Probability that the two-sided exact McNemar test is significant.

    The power of the binomial test, averaged over the number of discordant pairs.

    Args:
        pairs: Pairs of episodes.
        discordance: Probability that exactly one of the two succeeds, at least `difference`.
        difference: True difference of the success rates.
        alpha: Level of the test.
    """
    least, most = binom.ppf([1e-10, 1 - 1e-10], pairs, discordance)
    discordant = np.arange(max(0, int(least)), int(most) + 1)
    critical = binom.ppf(alpha / 2, discordant, 0.5)
    critical -= binom.cdf(critical, discordant, 0.5) > alpha / 2  # significant up to here, and from the other end
    better = min(1.0, (1 + difference / discordance) / 2)
    found = binom.cdf(critical, discordant, better) + binom.sf(discordant - critical - 1, discordant, better)
    return float(binom.pmf(discordant, pairs, discordance) @ found)


def detectable_difference(pairs: int, discordance: float, *, alpha: float, power: float) -> float | None:
    """The smallest true difference of rates that the exact McNemar test detects with probability `power`.

    Args:
        pairs: Pairs of episodes.
        discordance: Probability that exactly one of the two succeeds; it counts as the difference where it is smaller.
        alpha: Level of the test, two-sided.
        power: Probability of a significant result.

    Returns:
        The difference, to 0.001; None if not even a difference of 1 is detected.
    """

    def detected(difference: float) -> bool:
        return exact_power(pairs, max(discordance, difference), difference, alpha=alpha) >= power

    if not detected(1.0):
        return None
    low, high = 0.0, 1.0
    while high - low > 0.001:
        middle = (low + high) / 2
        low, high = (low, middle) if detected(middle) else (middle, high)
    return high
