"""Which seeds are attempted, and the numbers of successes, whatever the order in which rollouts finish."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from recording_fakes import STATES

from ambidex.recorders.dataset.layout import EpisodeFiles
from ambidex.recorders.recording.queue import RecordingQueue
from ambidex.recorders.recording.worker import WriteJob

FIRST = 100


class MemoryLog:
    """An attempt log without a file."""

    def __init__(self):
        self.attempts, self.successes = [], 0

    def add(self, result):
        attempt = SimpleNamespace(seed=result.seed, episode=self.successes if result.success else None)
        self.attempts.append(attempt)
        self.successes += result.success
        return attempt


class NumberedFiles:
    """Stores successes, under their numbers; no file is missing."""

    def planned(self, attempt):
        return None if attempt.episode is None else EpisodeFiles(episode=attempt.episode, video=None)

    def are_missing(self, attempt):
        return False


def make_queue(wanted, max_attempts, outcomes=()):
    log = MemoryLog()
    for seed, success in enumerate(outcomes, start=FIRST):
        log.add(SimpleNamespace(seed=seed, success=success))
    config = replace(STATES, seed=FIRST, num_episodes=wanted, max_attempts=max_attempts)
    return RecordingQueue(config, log, NumberedFiles()), log


def finish(queue, seed, success):
    queue.take(seed, SimpleNamespace(seed=seed, success=success))


def run(outcomes, wanted, max_attempts, workers, rng, attempted=0):
    """Run to the end with some jobs in progress that finish in random order; returns log, started seeds, written."""
    queue, log = make_queue(wanted, max_attempts, outcomes[:attempted])
    running, started, written = [], [], []
    while True:
        while len(running) < workers and (job := queue.next_job()) is not None:
            running.append(job)
            started += [job] if isinstance(job, int) else []
        if not running:
            return queue, log, started, written
        job = running.pop(rng.randrange(len(running)))
        if isinstance(job, WriteJob):
            written.append((job.result.seed, job.files.episode))
        else:
            finish(queue, job, outcomes[job - FIRST])


@pytest.mark.parametrize("case", range(200))
def test_what_is_attempted_and_stored_depends_on_the_outcomes_alone(case):
    rng = random.Random(case)
    outcomes = [rng.random() < rng.choice((0.2, 0.8)) for _ in range(40)]
    wanted, max_attempts = rng.randint(1, 8), rng.randint(1, 40)
    needed = next((n for n in range(41) if sum(outcomes[:n]) == wanted), 41)
    expected = range(FIRST, FIRST + min(needed, max_attempts))
    successes = [seed for seed in expected if outcomes[seed - FIRST]]
    for workers in (1, 2, 7):
        queue, log, started, written = run(outcomes, wanted, max_attempts, workers, rng)
        assert sorted(started) == list(expected)
        assert [attempt.seed for attempt in log.attempts] == list(expected)
        stored = [(attempt.seed, attempt.episode) for attempt in log.attempts if attempt.episode is not None]
        assert stored == [(seed, episode) for episode, seed in enumerate(successes)]
        assert sorted(written) == stored
        assert queue.complete == (needed <= max_attempts)


def test_it_resumes_after_the_attempts_of_earlier_runs():
    outcomes = [True, False, True, True, False, True]
    _, log, started, _ = run(outcomes, 4, 6, 2, random.Random(0), attempted=3)
    assert sorted(started) == [103, 104, 105]
    assert [attempt.episode for attempt in log.attempts[3:]] == [2, None, 3]


def test_no_seed_is_started_that_might_not_be_needed():
    queue, log = make_queue(wanted=2, max_attempts=10)
    jobs = [queue.next_job() for _ in range(3)]
    assert jobs == [100, 101, None]
    finish(queue, 101, False)
    assert log.attempts == []  # seed 100 is not settled
    assert queue.next_job() == 102
    assert queue.next_job() is None
