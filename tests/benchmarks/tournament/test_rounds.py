"""Rounds of a tournament, on outcomes that are known beforehand."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from ambidex.benchmarks.statistics.sequential import SequentialTest
from ambidex.benchmarks.studies.tournament_study import (
    DIFFERENT,
    EQUAL,
    main,
    run_simulated,
    simulate,
    study_different,
    study_equal,
)
from ambidex.benchmarks.tournament.rounds import (
    BEST,
    FIRST_SEEDS,
    ORDER,
    Rule,
    compare_all,
    fewest_episodes,
    next_round,
    open_pairs,
    run_rounds,
)


def outcomes_of(*texts, tasks=1):
    """Outcomes of policies, given as "1011" by seed and task."""
    return [np.array([c == "1" for c in text], dtype=bool).reshape(-1, tasks) for text in texts]


def ran_by(outcomes, rule):
    """The rounds of a tournament of these policies as (policy, seeds), and the outcomes that it saw."""
    runs = []

    def run(policy, seeds):
        runs.append((policy, seeds))
        return outcomes[policy][:seeds]

    return runs, run_rounds(len(outcomes), outcomes[0].shape[1], rule, run)


def test_policies_run_the_same_seeds_until_their_order_is_settled():
    outcomes = outcomes_of("1" * 100, "0" * 100, "10" * 50)
    runs, seen = ran_by(outcomes, Rule(mode=ORDER, budget=200))
    assert runs[:3] == [(0, FIRST_SEEDS), (1, FIRST_SEEDS), (2, FIRST_SEEDS)]
    by_seeds = {seeds: [policy for policy, until in runs if until == seeds] for _, seeds in runs}
    assert all(running == [0, 1, 2] for running in by_seeds.values())  # the third is compared with both
    assert len({len(each) for each in seen}) == 1 and not open_pairs(compare_all(seen), ORDER)
    assert sum(each.size for each in seen) < 200


def test_a_policy_whose_comparisons_are_settled_gets_no_more_episodes():
    outcomes = outcomes_of("1" * 200, "10" * 100, "0110" * 50, "0" * 200)
    _, seen = ran_by(outcomes, Rule(mode=ORDER, budget=300))
    assert len(seen[3]) < len(seen[1]) == len(seen[2])
    assert [pair.policies for pair in open_pairs(compare_all(seen), ORDER)] == [(1, 2)]


def test_the_best_policy_is_sought_without_the_order_of_the_others():
    outcomes = outcomes_of("1" * 200, "10" * 100, "0110" * 50, "0" * 200)
    _, seen = ran_by(outcomes, Rule(mode=BEST, budget=300))
    _, order = ran_by(outcomes, Rule(mode=ORDER, budget=300))
    assert not open_pairs(compare_all(seen), BEST) and open_pairs(compare_all(seen), ORDER)
    assert sum(each.size for each in seen) < sum(each.size for each in order)


def test_the_budget_is_spent_to_the_last_seed_of_all_that_run_and_never_exceeded():
    outcomes = outcomes_of("10" * 50, "01" * 50, tasks=2)
    for budget in (4, 7, 43, 97):
        _, seen = ran_by(outcomes, Rule(mode=ORDER, budget=budget))
        assert budget - 4 < sum(each.size for each in seen) <= budget


def test_rounds_grow_with_the_seeds_before():
    outcomes = outcomes_of("10" * 200, "01" * 200)
    runs, _ = ran_by(outcomes, Rule(mode=ORDER, budget=700))
    seeds = [seeds for policy, seeds in runs if policy == 0]
    assert seeds[:12] == [*range(10, 101, 10), 110, 121]  # a tenth of 110 is 11
    assert seeds[-1] == 350


def test_a_pair_is_settled_by_the_sequential_test_at_the_level_of_bonferroni():
    won = "1" * 7 + "0" * 7
    for lost, better in (("0" * 7 + "1" * 7, None), ("0" * 14, None), ("0" * 14, 0)):
        policies = [won if better is None else "1" * 14, lost]
        (pair,) = compare_all(outcomes_of(*policies))
        pairs = [(a == "1", b == "1") for a, b in zip(*policies, strict=True)]
        assert pair.p == pytest.approx(SequentialTest.of(pairs, alpha=0.05).p_value)
        assert pair.better == better and (pair.p <= 0.05) == (better is not None)
    ten, nine = ("1" * 10, "0" * 10), ("1" * 9, "0" * 9)
    assert compare_all(outcomes_of(*ten, "1" * 10))[0].better == 0  # 2^10 / 11 = 93 > 3 / 0.05 > 51 = 2^9 / 10
    assert compare_all(outcomes_of(*nine, "1" * 9))[0].better is None
    assert compare_all(outcomes_of(*nine))[0].better == 0


def test_a_settled_pair_stays_settled_whatever_follows():
    first = outcomes_of("1" * 10 + "0" * 40, "0" * 10 + "1" * 40)
    assert [compare_all([each[:n] for each in first])[0].better for n in (4, 10, 50)] == [None, 0, 0]


def test_evidence_is_counted_after_whole_seeds_only():
    """One is better in the first ten tasks and the other in the last ten, so they are equal after each seed."""
    half = "1" * 10, "0" * 10
    (pair,) = compare_all(outcomes_of("".join(half) * 3, "".join(reversed(half)) * 3, tasks=20))
    assert pair.p == 1 and pair.better is None and pair.counts.difference == 0


def test_an_interrupted_tournament_runs_what_it_would_have_run():
    outcomes = [simulate(np.random.default_rng(0), (0.9, 0.5, 0.2), 300, 0.0)[k] for k in range(3)]
    rule = Rule(mode=ORDER, budget=400)
    runs, seen = ran_by(outcomes, rule)
    again, stored = [], {}
    for stop in (1, 4, 7, len(runs)):  # each attempt ends after so many calls that run something

        def run(policy, seeds, stop=stop):
            if seeds > stored.get(policy, 0):
                if len(again) == stop:
                    raise KeyboardInterrupt
                again.append((policy, seeds))
                stored[policy] = seeds
            return outcomes[policy][:seeds]

        try:
            last = run_rounds(3, 1, rule, run)
        except KeyboardInterrupt:
            continue
    assert again == runs
    assert all(np.array_equal(one, other) for one, other in zip(last, seen, strict=True))


def test_nothing_follows_when_all_is_settled():
    settled = outcomes_of("1" * 10, "0" * 10)
    assert next_round(settled, Rule(mode=ORDER, budget=1000)) is None
    assert next_round([each[:5] for each in settled], Rule(mode=ORDER, budget=1000)).seeds == 15


def test_equal_policies_are_rarely_told_apart():
    """In at most 5 % of tournaments: more than this limit of 60 has a probability below 0.02 % then."""
    limit = int(binom.ppf(0.9998, 60, 0.05))
    for correlation in (0.0, 0.5):
        assert study_equal(np.random.default_rng(1), correlation, tournaments=60, seeds=50) <= limit


def test_a_tournament_finds_the_best_policy_with_fewer_episodes_than_its_budget():
    results, _ = study_different(np.random.default_rng(2), 0.5, BEST, each=300, tournaments=5)
    assert all(result.complete and result.wrong == 0 for result in results)
    assert np.mean([result.episodes for result in results]) < 0.6 * 300 * len(DIFFERENT)


def test_simulated_policies_have_their_rates_and_succeed_together():
    independent, shared = (simulate(np.random.default_rng(0), (0.3, 0.7), 20_000, each) for each in (0.0, 0.5))
    for outcomes in (independent, shared):
        assert outcomes.mean(axis=(1, 2)) == pytest.approx([0.3, 0.7], abs=0.015)
    covariances = [np.cov(each[..., 0])[0, 1] for each in (independent, shared)]
    assert abs(covariances[0]) < 0.01 and covariances[1] > 0.04


def test_a_wrong_decision_is_counted():
    outcomes = np.stack(outcomes_of("1" * 20, "0" * 20))
    rule = Rule(mode=ORDER, budget=40)
    assert [run_simulated(outcomes, rates, rule).wrong for rates in ((0.5, 0.5), (0.4, 0.6), (0.6, 0.4))] == [1, 1, 0]


@pytest.mark.slow
def test_the_study_of_tournaments_prints_its_tables(capsys):
    main()
    lines = capsys.readouterr().out.splitlines()
    wrong = [int(line.split(": ")[1].split("/")[0]) for line in lines if line.startswith("  correlation")]
    assert len(wrong) == 2 and max(wrong) <= binom.ppf(0.9998, 500, 0.05)
    assert len(list(combinations(EQUAL, 2))) == 28


@pytest.mark.parametrize(("policies", "tasks"), [(2, 1), (8, 1), (3, 4)])
def test_no_comparison_is_settled_before_the_fewest_episodes(policies, tasks):
    seeds = fewest_episodes(policies, tasks) // (policies * tasks)
    best_and_worst = [np.full((seeds, tasks), won) for won in [True] + [False] * (policies - 1)]
    assert any(pair.better is not None for pair in compare_all(best_and_worst))
    assert all(pair.better is None for pair in compare_all([each[:-1] for each in best_and_worst]))
