"""What looking at results on the way does to a test: `python -m ambidex.benchmarks.studies.stopping_study`.

Simulated benchmarks, no simulator. Two equal policies: how often a difference is called all the same. Two that differ:
after how many episodes the sequential test calls it, beside what the exact McNemar test needs if its number is fixed.
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
LOOK_EVERY = 10
LONGEST = 3000
DIFFERENT = ((0.45, 0.05), (0.3, 0.1), (0.25, 0.15))
ENOUGH = math.log(20)

Pairs = list[tuple[bool, bool]]


def simulate(rng: np.random.Generator, only_a: float, only_b: float, episodes: int) -> Pairs:
    """Episodes that the first policy alone solves with probability `only_a`, the second alone with `only_b`."""
    return [(u < only_a, only_a <= u < only_a + only_b) for u in map(float, rng.uniform(size=episodes))]


def mcnemar_on_the_way(pairs: Pairs) -> list[float]:
    """Exact p-values after every ten episodes."""
    only_a, only_b = np.cumsum(np.array(pairs), axis=0).T
    return [exact_p(int(only_a[t]), int(only_b[t])) for t in range(LOOK_EVERY - 1, len(pairs), LOOK_EVERY)]


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(0)
    equal = [simulate(rng, 0.15, 0.15, EPISODES) for _ in range(BENCHMARKS)]
    looked = [mcnemar_on_the_way(pairs) for pairs in equal]
    print(f"Two equal policies, {EPISODES} episodes, 30 % of them discordant. Called different in so many benchmarks:")
    print(f"  McNemar, at the end         {_share([ps[-1] <= 0.05 for ps in looked])}")
    print(f"  McNemar, every {LOOK_EVERY} episodes  {_share([min(ps) <= 0.05 for ps in looked])}")
    print(f"  sequential, every episode   {_share([max(log_e_values(pairs)) >= ENOUGH for pairs in equal])}")
    for only_a, only_b in DIFFERENT:
        logs = (log_e_values(simulate(rng, only_a, only_b, LONGEST)) for _ in range(BENCHMARKS // 2))
        median, late = np.percentile([_first(log) for log in logs], [50, 80])
        fixed = pairs_needed(only_a + only_b, only_a - only_b, alpha=0.05, power=0.8)
        print(f"only a {only_a:.0%}, only b {only_b:.0%}: McNemar with power 0.8 needs {fixed} episodes;", end=" ")
        print(f"the sequential test calls it after {median:.0f} (median), {late:.0f} (4 of 5)")


def _share(called: list[bool]) -> str:
    return format_rate(sum(called), len(called))


def _first(logs: FloatArray) -> int:
    return int(np.argmax(logs >= ENOUGH)) if logs.max() >= ENOUGH else LONGEST


if __name__ == "__main__":
    main()
