import random

import pytest

from ambidex.recorders.recording.queue import Schedule


def run(outcomes, wanted, max_attempts, workers, rng, attempted=0):
    """Attempt seeds 100, 101, ... with some in flight that finish in random order."""
    before = sum(outcomes[:attempted])
    schedule = Schedule(first_seed=100, wanted=wanted, max_attempts=max_attempts, attempted=attempted, successes=before)
    running, settled, given_out = [], [], []
    while True:
        while len(running) < workers and (seed := schedule.next_seed()) is not None:
            running.append(seed)
            given_out.append(seed)
        if not running:
            return schedule, settled, given_out
        seed = running.pop(rng.randrange(len(running)))
        settled += schedule.finish(seed, outcomes[seed - 100], f"of {seed}")


@pytest.mark.parametrize("case", range(200))
def test_what_is_attempted_and_kept_depends_on_the_outcomes_alone(case):
    rng = random.Random(case)
    outcomes = [rng.random() < rng.choice((0.2, 0.8)) for _ in range(40)]
    wanted, max_attempts = rng.randint(1, 8), rng.randint(1, 40)
    needed = next((n for n in range(41) if sum(outcomes[:n]) == wanted), 41)
    expected = range(100, 100 + min(needed, max_attempts))
    for workers in (1, 2, 7):
        schedule, settled, given_out = run(outcomes, wanted, max_attempts, workers, rng)
        assert sorted(given_out) == list(expected)
        assert [s.seed for s in settled] == list(expected)
        kept = [s.seed for s in settled if s.episode is not None]
        assert kept == [seed for seed in expected if outcomes[seed - 100]]
        assert [s.episode for s in settled if s.episode is not None] == list(range(len(kept)))
        assert all(s.payload == f"of {s.seed}" for s in settled)
        assert schedule.complete == (needed <= max_attempts)


def test_it_goes_on_after_what_was_attempted_before():
    outcomes = [True, False, True, True, False, True]
    rng = random.Random(0)
    _, settled, given_out = run(outcomes, 4, 6, 2, rng, attempted=3)
    assert sorted(given_out) == [103, 104, 105]
    assert [s.episode for s in settled] == [2, None, 3]


def test_nothing_is_given_out_that_might_not_be_needed():
    schedule = Schedule(first_seed=0, wanted=2, max_attempts=10)
    assert [schedule.next_seed() for _ in range(3)] == [0, 1, None]
    assert schedule.finish(1, False, "b") == []
    assert schedule.next_seed() == 2
    assert schedule.next_seed() is None
