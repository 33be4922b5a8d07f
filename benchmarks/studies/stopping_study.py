"""What testing before a benchmark has ended does to the tests: `python -m ambidex.benchmarks.studies.stopping_study`.

Outcomes are drawn at random, no task is simulated. For two equal policies: how often a test reports a difference. For
two that differ: after how many episodes the sequential test reports it, beside the number of episodes that the exact
McNemar test needs if the number is fixed in advance.
"""

import math

import numpy as np

from ambidex.benchmarks.statistics.paired import exact_p
from ambidex.benchmarks.statistics.sample_size import pairs_needed
from ambidex.benchmarks.statistics.sequential import log_e_values
from ambidex.envs.types import FloatArray
from ambidex.intervals import format_rate

BENCHMARKS = 2000
EPISODES = 400
TEST_EVERY = 10  # episodes
LONGEST = 3000
DIFFERENT = ((0.45, 0.05), (0.3, 0.1), (0.25, 0.15))
THRESHOLD = math.log(20)  # of the e-value, for 5 % false alarms

Pairs = list[tuple[bool, bool]]


def simulate(rng: np.random.Generator, only_a: float, only_b: float, episodes: int) -> Pairs:
    """Outcomes of episodes that only policy a solves with probability `only_a`, and only policy b with `only_b`."""
    return [(u < only_a, only_a <= u < only_a + only_b) for u in map(float, rng.uniform(size=episodes))]


def repeated_mcnemar(pairs: Pairs) -> list[float]:
    """Exact p-values after every `TEST_EVERY` episodes."""
    only_a, only_b = np.cumsum(np.array(pairs), axis=0).T
    return [exact_p(int(only_a[t]), int(only_b[t])) for t in range(TEST_EVERY - 1, len(pairs), TEST_EVERY)]


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(0)
    equal = [simulate(rng, 0.15, 0.15, EPISODES) for _ in range(BENCHMARKS)]
    p_values = [repeated_mcnemar(pairs) for pairs in equal]
    print(f"Two equal policies, {EPISODES} episodes, 30 % of them discordant. A difference is reported in:")
    print(f"  McNemar, at the end         {_share([ps[-1] <= 0.05 for ps in p_values])}")
    print(f"  McNemar, every {TEST_EVERY} episodes  {_share([min(ps) <= 0.05 for ps in p_values])}")
    print(f"  sequential, every episode   {_share([max(log_e_values(pairs)) >= THRESHOLD for pairs in equal])}")
    for only_a, only_b in DIFFERENT:
        logs = (log_e_values(simulate(rng, only_a, only_b, LONGEST)) for _ in range(BENCHMARKS // 2))
        median, late = np.percentile([_first(log) for log in logs], [50, 80])
        fixed = pairs_needed(only_a + only_b, only_a - only_b, alpha=0.05, power=0.8)
        print(f"only a {only_a:.0%}, only b {only_b:.0%}: McNemar with power 0.8 needs {fixed} episodes;", end=" ")
        print(f"the sequential test detects it after {median:.0f} (median), {late:.0f} (4 of 5)")


def _share(detected: list[bool]) -> str:
    return format_rate(sum(detected), len(detected))


def _first(logs: FloatArray) -> int:
    """The episode at which the sequential test first detects a difference; `LONGEST` if it never does."""
    return int(np.argmax(logs >= THRESHOLD)) if logs.max() >= THRESHOLD else LONGEST


if __name__ == "__main__":
    main()
