"""What series of samples say: growth is found beyond the tolerance and the noise, and other programs are no growth."""

from collections.abc import Callable

import numpy as np
import pytest

from ambidex.benchmarks.soak.monitor import Sample
from ambidex.benchmarks.soak.processes import ProcessSample
from ambidex.benchmarks.soak.verdict import Verdict, findings

EPISODES = 1000
RNG = np.random.default_rng(0)
NOISE = RNG.normal(scale=0.02, size=EPISODES)  # of the time of an episode [s]


def process(pid: int, role: str, **values: float) -> ProcessSample:
    defaults = {"written": 1e8, "descriptors": 8, "threads": 2, "processor_s": 0.0}
    found = {"pid": pid, "role": role, "resident": 0, "proportional": 0, "private": 0, **defaults, **values}
    return ProcessSample(**found)  # type: ignore[arg-type]


def samples(
    worker: Callable[[int], dict[str, float]] = lambda episodes: {},
    each_s: Callable[[int], float] = lambda episode: 1.0,
    wall: Callable[[int], float] = lambda episode: 1.0,
    others: Callable[[int], float] = lambda episode: 0.0,
    pid: Callable[[int], int] = lambda episodes: 2,
) -> list[Sample]:
    """A run with one worker, sampled every 10 episodes.

    Args:
        worker: What the worker holds after a number of episodes.
        each_s: Processor time of an episode [s], without noise.
        wall: How much longer it takes than that.
        others: Processors that other programs use meanwhile.
        pid: Of the worker.
    """
    found, processor, seconds, machine = [], 0.0, 0.0, 0.0
    for episode in range(1, EPISODES + 1):
        took = each_s(episode) + NOISE[episode - 1]
        processor, seconds = processor + took, seconds + took * wall(episode)
        machine += took + others(episode) * took * wall(episode)
        if episode % 10 == 0:
            workers = process(pid(episode), "worker", **worker(episode))
            processes = (process(1, "command", processor_s=processor), workers)
            sample = Sample(
                episodes=episode,
                seconds=seconds,
                processes=processes,
                shared_memory=0,
                temporary_files=episode % 20 // 10,
                machine_s=machine,
            )
            found.append(sample)
    return found


def growing(run: list[Sample]) -> set[str]:
    return {each.quantity for each in findings(run, EPISODES) if each.verdict is Verdict.GROWS}


def test_a_run_that_stays_as_it_is_has_no_growth() -> None:
    found = findings(samples(), EPISODES)
    assert {each.verdict for each in found} == {Verdict.STEADY}
    (time,) = [each for each in found if each.quantity == "processor time of an episode"]
    assert time.first == pytest.approx(1000, rel=0.02)
    assert time.last == pytest.approx(1000, rel=0.02)


@pytest.mark.parametrize(("growth", "quantities"), [(0.04, set()), (0.07, {"written memory"})])
def test_memory_may_grow_by_five_percent(growth: float, quantities: set[str]) -> None:
    run = samples(worker=lambda episodes: {"written": 1e8 * (1 + growth * episodes / EPISODES)})
    assert growing(run) == quantities


def test_memory_before_the_warm_up_is_over_does_not_count() -> None:
    assert not growing(samples(worker=lambda episodes: {"written": 5e7 if episodes < 50 else 1e8}))
    assert growing(samples(worker=lambda episodes: {"written": 5e7 if episodes < 300 else 1e8})) == {"written memory"}


def test_one_descriptor_too_many_is_growth_unless_it_comes_and_goes() -> None:
    assert growing(samples(worker=lambda episodes: {"descriptors": 8 + (episodes > 500)})) == {"descriptors"}
    assert not growing(samples(worker=lambda episodes: {"descriptors": 8 + episodes % 20}))


def test_episodes_that_take_ever_longer_are_growth() -> None:
    times = {"processor time of an episode", "wall-clock time of an episode"}
    assert growing(samples(each_s=lambda episode: 1 + 0.2 * episode / EPISODES)) == times
    assert not growing(samples(each_s=lambda episode: 1 + 0.02 * episode / EPISODES))


def test_another_program_that_starts_meanwhile_is_no_growth() -> None:
    def slowed(episode: int) -> float:
        return 1.0 + 0.4 * (episode > 600)

    assert growing(samples(each_s=slowed))
    assert not growing(samples(each_s=slowed, others=lambda episode: 0.9 * (episode > 600)))


def test_waiting_that_grows_alone_is_unclear() -> None:
    run = samples(wall=lambda episode: 1 + 0.5 * episode / EPISODES)
    unclear = {each.quantity for each in findings(run, EPISODES) if each.verdict is Verdict.UNCLEAR}
    assert unclear == {"wall-clock time of an episode"}
    assert not growing(run)


def test_a_worker_that_died_is_found() -> None:
    assert growing(samples(pid=lambda episodes: 2 if episodes < 500 else 3)) == {"workers that died"}


def test_a_few_samples_say_nothing() -> None:
    assert findings(samples()[:6], EPISODES) == ()
    assert findings([], EPISODES) == ()
