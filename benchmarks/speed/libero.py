"""How fast a LIBERO task runs: control steps with and without cameras, resets, and a recorded demonstration."""

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from ambidex.benchmarks.speed.recording import MEGABYTE, record
from ambidex.benchmarks.speed.timing import Effort, Figure, MeasurementError, side_by_side, wait_for_siblings
from ambidex.envs.env import Environment, make
from ambidex.envs.registry import FAMILIES
from ambidex.envs.rollout import rollout
from ambidex.envs.types import RolloutResult
from ambidex.recorders.dataset.dataset import Dataset, read_attempts
from ambidex.scripted_policies.registry import make_expert

TASK = "libero_goal/put_the_bowl_on_the_stove"
SMALL = (128, 128)  # the size in which robosuite's figures are given [px]
RESETS = 20
figure = partial(Figure, section="libero")


def libero_figures(effort: Effort, processes: int) -> Iterator[Figure]:
    """Steps per second, milliseconds of a reset, and seconds and megabytes of a demonstration."""
    env = make(TASK, cameras=())
    episode = rollout(env, make_expert(env), 0, stop_at_success=True)
    if not episode.success:
        raise MeasurementError(f"The expert did not solve {TASK}, so there is nothing to time: {episode.reason}.")
    yield figure(
        name="control_no_cameras",
        label="LIBERO, control steps under an expert's actions, no cameras, 1 process",
        unit="control steps/s",
        samples=tuple(_replay_rate(env, episode) for _ in range(effort.repeats)),
    )
    for number in sorted({1, processes}):
        yield _seen(number, episode, effort)
    yield figure(name="reset", label="LIBERO, reset after the first", unit="ms", samples=_reset_times(env, effort))
    yield from _demonstrations(effort, processes)


def _replay_rate(env: Environment, episode: RolloutResult) -> float:
    """Control steps per second of the environment alone, under actions that are known."""
    env.restore(episode.states[0])
    started = time.perf_counter()
    for action in episode.actions:
        env.step(action)
    elapsed = time.perf_counter() - started
    if not np.array_equal(env.scene.state(), episode.states[-1]):
        raise AssertionError("The timed world is not the world of the episode.")
    return float(episode.steps / elapsed)


def _seen(number: int, episode: RolloutResult, effort: Effort) -> Figure:
    job = partial(seen_rates, episode, effort)
    with side_by_side(number) as executor:
        each = [future.result() for future in [executor.submit(job) for _ in range(number)]]
    name = "control_two_cameras"
    return figure(
        name=name if number == 1 else f"{name}_{number}_processes",
        label=f"LIBERO, control steps, two {SMALL[0]} x {SMALL[1]} cameras, {number} process" + "es" * (number > 1),
        unit="control steps/s",
        samples=tuple(float(total) for total in np.sum(each, axis=0)),
        relative_to="control_no_cameras",
    )


def seen_rates(episode: RolloutResult, effort: Effort) -> tuple[float, ...]:
    """Control steps per second of this process with every image of every step, at the same time as its siblings'."""
    env = make(TASK, image_size=SMALL)
    env.restore(episode.states[0]).images()  # makes the OpenGL context
    rates = []
    for _ in range(effort.repeats):
        env.restore(episode.states[0])
        wait_for_siblings()
        started = time.perf_counter()
        for action in episode.actions:
            env.step(action).observation.images()
        rates.append(episode.steps / (time.perf_counter() - started))
    env.close()
    return tuple(rates)


def _reset_times(env: Environment, effort: Effort) -> tuple[float, ...]:
    seeds, times = count(1), []
    for _ in range(max(1, RESETS * effort.repeats // 5)):
        started = time.perf_counter()
        env.reset(next(seeds))
        times.append(1e3 * (time.perf_counter() - started))
    return tuple(times)


def _demonstrations(effort: Effort, workers: int) -> Iterator[Figure]:
    """The recorder itself, with its usual cameras, start-up and the joined file included."""
    cameras, size = FAMILIES["libero"].cameras, FAMILIES["libero"].image_size if effort.seconds >= 1 else (32, 32)
    with tempfile.TemporaryDirectory(prefix="ambidex-throughput-") as folder:
        output = Path(folder) / "dataset"
        cost = record(TASK, output, cameras, size, effort.episodes, workers)
        steps = sum(attempt.steps for attempt in read_attempts(output))
        words = f"two {size[0]} x {size[1]} cameras"
        yield figure(
            name="demonstration_seconds",
            label=f"LIBERO, recording a demonstration, {words}, start-up included ({effort.episodes} episodes)",
            unit="s",
            samples=(cost.seconds / effort.episodes,),
        )
        yield figure(
            name="demonstration_steps",
            label="LIBERO, steps of such a demonstration",
            unit="steps",
            samples=tuple(attempt.steps for attempt in read_attempts(output)),
        )
        yield figure(
            name="step_milliseconds",
            label=f"LIBERO, processor time of a recorded step, {words}, all cores",
            unit="ms",
            samples=(1e3 * cost.processor_seconds / steps,),
        )
        file = Dataset(output).paths[0].parent
        yield figure(
            name="demonstration_megabytes",
            label=f"LIBERO, size of a demonstration, {words}",
            unit="MB",
            samples=(file.stat().st_size / MEGABYTE / effort.episodes,),
        )
