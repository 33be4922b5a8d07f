"""What a tournament gets wrong and what it saves: `python -m ambidex.benchmarks.studies.tournament_study`.

Outcomes are drawn at random, no task is simulated. For equal policies: in how many tournaments any pair is settled. For
policies that differ: how many episodes a tournament needs, and how many pairs it settles, beside those that the exact
McNemar test with Holm's correction finds if the same budget is spent evenly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np
from scipy.special import ndtri

from ambidex.benchmarks.statistics.paired import exact_p, holm
from ambidex.benchmarks.statistics.summary import ALPHA
from ambidex.benchmarks.tournament.rounds import MODES, ORDER, Outcomes, Rule, compare_all, open_pairs, run_rounds
from ambidex.envs.types import FloatArray
from ambidex.intervals import format_rate
from ambidex.text import text_table

EQUAL = (0.7,) * 8
DIFFERENT = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.95)
CORRELATIONS = (0.0, 0.5)
EQUAL_TOURNAMENTS, EQUAL_SEEDS = 500, 100
TOURNAMENTS, BUDGETS = 40, (100, 300, 1000)
"""Tournaments of each kind, and their budgets in episodes of each policy."""
HEADER = ("correlation", "budget", "mode", "episodes", "asked is settled", "pairs settled", "evenly: pairs")


def simulate(rng: np.random.Generator, rates: Sequence[float], seeds: int, correlation: float) -> Outcomes:
    """Outcomes of policies with these rates, shape (policies, seeds, 1).

    An episode succeeds if a normal number is low; any two policies have numbers with this correlation on the same seed,
    because some initial states are hard for all.
    """
    shared, own = rng.normal(size=seeds), rng.normal(size=(len(rates), seeds))
    difficulty: FloatArray = sqrt(correlation) * shared + sqrt(1 - correlation) * own
    return np.asarray(difficulty < ndtri(np.array(rates))[:, None])[..., None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a simulated tournament.

    Attributes:
        episodes: Episodes that it ran.
        settled: Pairs that it settled.
        wrong: Those among them in favour of a policy that is not better.
        complete: Nothing that matters is open.
    """

    episodes: int
    settled: int
    wrong: int
    complete: bool


def run_simulated(outcomes: Outcomes, rates: Sequence[float], rule: Rule) -> Result:
    """Run a tournament of policies whose outcomes are known, shape (policies, seeds, tasks)."""
    policies, _, tasks = outcomes.shape
    ran = run_rounds(policies, tasks, rule, lambda policy, seeds: outcomes[policy, :seeds])
    pairs = compare_all(ran, rule.alpha)
    better = [(pair.better, sum(pair.policies) - pair.better) for pair in pairs if pair.better is not None]
    return Result(
        episodes=sum(each.size for each in ran),
        settled=len(better),
        wrong=sum(rates[one] <= rates[other] for one, other in better),
        complete=not open_pairs(pairs, rule.mode),
    )


def different_evenly(outcomes: Outcomes) -> int:
    """Pairs that the exact McNemar test with Holm's correction finds different, all policies on all seeds."""
    counts = [pair.counts for pair in compare_all(list(outcomes))]
    return sum(p <= ALPHA for p in holm([exact_p(each.only_a, each.only_b) for each in counts]))


def study_equal(rng: np.random.Generator, correlation: float, tournaments: int, seeds: int) -> int:
    """In how many tournaments of equal policies any pair is settled."""
    rule = Rule(mode=ORDER, budget=len(EQUAL) * seeds)
    drawn = (simulate(rng, EQUAL, seeds, correlation) for _ in range(tournaments))
    return sum(run_simulated(outcomes, EQUAL, rule).wrong > 0 for outcomes in drawn)


def study_different(
    rng: np.random.Generator, correlation: float, mode: str, each: int, tournaments: int
) -> tuple[list[Result], float]:
    """Tournaments of different policies, and the mean number of pairs that differ with the same budget, spent evenly.

    `each` is the budget in episodes of each policy.
    """
    budget, evenly, results = each * len(DIFFERENT), list[int](), list[Result]()
    for _ in range(tournaments):
        outcomes = simulate(rng, DIFFERENT, budget // 2, correlation)  # at least two policies run in every round
        results.append(run_simulated(outcomes, DIFFERENT, Rule(mode=mode, budget=budget)))
        evenly.append(different_evenly(outcomes[:, :each]))
    return results, float(np.mean(evenly))


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(0)
    print(f"{len(EQUAL)} equal policies of rate {EQUAL[0]}, {EQUAL_SEEDS} episodes each. A pair is settled in:")
    for correlation in CORRELATIONS:
        wrong = study_equal(rng, correlation, EQUAL_TOURNAMENTS, EQUAL_SEEDS)
        print(f"  correlation {correlation}: {format_rate(wrong, EQUAL_TOURNAMENTS)}")
    print(f"\nPolicies of rates {', '.join(map(str, DIFFERENT))}; means of {TOURNAMENTS} tournaments:")
    rows, wrong = [], 0
    for correlation, each, mode in product(CORRELATIONS, BUDGETS, MODES):
        results, evenly = study_different(rng, correlation, mode, each, TOURNAMENTS)
        wrong += sum(result.wrong > 0 for result in results)
        rows.append((str(correlation), str(each * len(DIFFERENT)), mode, *_means(results), f"{evenly:.1f}"))
    print(text_table(HEADER, rows))
    print(f"\nA pair is settled wrongly in {format_rate(wrong, len(rows) * TOURNAMENTS)}")


def _means(results: Sequence[Result]) -> tuple[str, str, str]:
    episodes, settled = (np.mean([getattr(each, name) for each in results]) for name in ("episodes", "settled"))
    complete = sum(result.complete for result in results)
    return f"{episodes:.0f}", f"{complete} of {len(results)}", f"{settled:.1f}"


if __name__ == "__main__":
    main()
