"""Which policies of a tournament get more episodes, and which comparisons are settled: functions of outcomes alone.

In a round every policy with an open comparison gets the next seeds, in all tasks. Two policies are compared after
every seed that both have run, by the sequential test of `benchmarks/statistics/sequential.py` at the level
alpha / (number of pairs) (C. E. Bonferroni, 1936). With probability 1 - alpha no pair is ever settled wrongly: not
between equal policies, and not in favour of the worse one. This holds whenever and why ever comparisons stop, because
each test bounds the largest evidence that it would reach in an infinite run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, exp, log

import numpy as np
import numpy.typing as npt

from ambidex.benchmarks.statistics.paired import PairedCounts
from ambidex.benchmarks.statistics.sequential import log_e_value
from ambidex.benchmarks.statistics.summary import ALPHA

Outcomes = npt.NDArray[np.bool_]
"""Whether the episodes of a policy succeeded, shape (seeds, tasks), by seed."""

ORDER, BEST = "order", "best"
"""What a tournament is to find out: the order of all policies, or the best one."""
MODES = (ORDER, BEST)
FIRST_SEEDS = 10
"""Seeds of the first round, and the fewest of each later one, unless the budget ends."""
GROWTH = 10
"""A round has a GROWTH-th of the seeds before, so that thousands of seeds take tens of rounds."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What decides which episodes are run, beside their outcomes.

    Attributes:
        mode: One of `MODES`.
        budget: Episodes of all policies together.
        alpha: Probability that any pair is settled wrongly, at most.
    """

    mode: str
    budget: int
    alpha: float = ALPHA


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two policies on the seeds that both have run.

    Attributes:
        first: Index of one policy.
        second: Index of the other; differences are first minus second.
        counts: The 2x2 table of their episodes.
        p: Anytime-valid p-value, corrected for the number of pairs.
        better: Index of the policy that is shown to be better; None if the pair is not settled.
    """

    first: int
    second: int
    counts: PairedCounts
    p: float
    better: int | None

    @property
    def policies(self) -> tuple[int, int]:
        return self.first, self.second


@dataclass(frozen=True, kw_only=True)
class Round:
    """The policies that get more episodes, by index, and how many seeds each of them is to have then."""

    policies: tuple[int, ...]
    seeds: int


def compare_all(outcomes: Sequence[Outcomes], alpha: float = ALPHA) -> list[Pair]:
    """Compare every two policies: 0 and 1, 0 and 2, ..., 1 and 2, ..."""
    tests = comb(len(outcomes), 2)
    return [_compare(one, other, outcomes, alpha, tests) for one, other in combinations(range(len(outcomes)), 2)]


def _compare(first: int, second: int, outcomes: Sequence[Outcomes], alpha: float, tests: int) -> Pair:
    seeds = min(len(outcomes[first]), len(outcomes[second]))
    a, b = outcomes[first][:seeds], outcomes[second][:seeds]
    only_a, only_b = (np.cumsum(np.concatenate([[0], won.sum(axis=1)])) for won in (a & ~b, b & ~a))
    # Not within a seed: only after all tasks is the mean over them that of the hypothesis (docs/statistics.md).
    logs = log_e_value(only_a, only_b)
    settled = np.flatnonzero(logs >= log(tests / alpha))
    better = None
    if settled.size:  # the first time counts, so that more episodes never change it
        better = first if only_a[settled[0]] > only_b[settled[0]] else second
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    counts = PairedCounts(both=both, only_a=int(only_a[-1]), only_b=int(only_b[-1]), neither=neither)
    return Pair(first=first, second=second, counts=counts, p=min(1.0, tests * exp(-logs.max())), better=better)


def fewest_episodes(policies: int, tasks: int, alpha: float = ALPHA) -> int:
    """Episodes of all policies together before which no comparison can be settled, whatever the outcomes are."""
    threshold, seeds = log(comb(policies, 2) / alpha), 1
    while log_e_value(np.array([seeds * tasks]), np.array([0]))[0] < threshold:
        seeds += 1
    return policies * tasks * seeds


def open_pairs(pairs: Sequence[Pair], mode: str) -> list[Pair]:
    """The pairs that are not settled, in the mode `BEST` only those of policies that none is shown to be better than.

    Without such a pair the order, or the best policy, is known.
    """
    worse = {index for pair in pairs if pair.better is not None for index in pair.policies if index != pair.better}
    left_out = worse if mode == BEST else set[int]()
    return [pair for pair in pairs if pair.better is None and left_out.isdisjoint(pair.policies)]


def next_round(outcomes: Sequence[Outcomes], rule: Rule) -> Round | None:
    """The round that follows; None if nothing that matters is open, or the budget does not allow another seed.

    Args:
        outcomes: Of each policy, all episodes that the rounds before gave it.
        rule: What else decides.
    """
    remaining = open_pairs(compare_all(outcomes, rule.alpha), rule.mode)
    policies = tuple(sorted({index for pair in remaining for index in pair.policies}))
    if not policies:
        return None
    tasks, seeds = outcomes[0].shape[1], len(outcomes[policies[0]])  # all of them were in every round
    affordable = (rule.budget - sum(each.size for each in outcomes)) // (len(policies) * tasks)
    more = min(max(FIRST_SEEDS, seeds // GROWTH), affordable)
    return Round(policies=policies, seeds=seeds + more) if more > 0 else None


def run_rounds(policies: int, tasks: int, rule: Rule, run: Callable[[int, int], Outcomes]) -> list[Outcomes]:
    """Run rounds until none follows, and return the outcomes of each policy.

    The same outcomes give the same rounds, so an interrupted tournament is resumed with the episodes that it would
    have run.

    Args:
        policies: Number of policies.
        tasks: Number of tasks.
        rule: What decides, beside the outcomes.
        run: (policy, seeds) -> outcomes of the first so many seeds of a policy; it may have run some before.
    """
    outcomes = [np.zeros((0, tasks), dtype=bool)] * policies
    while following := next_round(outcomes, rule):
        for policy in following.policies:
            outcomes[policy] = run(policy, following.seeds)
    return outcomes
