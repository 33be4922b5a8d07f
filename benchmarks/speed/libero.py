"""Speed of a LIBERO task: control steps with and without cameras, resets, and recording a demonstration."""

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ambidex.benchmarks.speed.recording import MEGABYTE, record
from ambidex.benchmarks.speed.simulation import replay_seconds
from ambidex.benchmarks.speed.timing import (
    Effort,
    Measurement,
    MeasurementError,
    parallel_processes,
    total_rates,
    wait_for_siblings,
)
from ambidex.envs.env import Environment, make
from ambidex.envs.registry import FAMILIES
from ambidex.envs.rollout import rollout
from ambidex.envs.types import RolloutResult
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.scripted_policies.registry import make_expert

TASK = "libero_goal/put_the_bowl_on_the_stove"
SMALL = (128, 128)  # the image size for which robosuite's speed is published [px]
RESETS = 20
measurement = partial(Measurement, "libero")


def measure_libero(effort: Effort, processes: int) -> Iterator[Measurement]:
    """Control steps per second, milliseconds of a reset, and seconds and megabytes of a demonstration."""
    env = make(TASK, cameras=())
    episode = rollout(env, make_expert(env), 0, stop_at_success=True)
    if not episode.success:
        raise MeasurementError(f"The expert did not solve {TASK}, so there is nothing to time: {episode.reason}.")
    label = "LIBERO, control steps under an expert's actions, no cameras, 1 process"
    rates = [_replay_rate(env, episode) for _ in range(effort.repeats)]
    yield measurement("control_no_cameras", label, "control steps/s", rates)
    for number in sorted({1, processes}):
        yield _with_cameras(number, episode, effort)
    yield measurement("reset", "LIBERO, reset after the first", "ms", _reset_times(env, effort))
    yield from _recording(effort, processes)


def _replay_rate(env: Environment, episode: RolloutResult) -> float:
    """Control steps per second of the environment alone, replaying the actions of an episode."""
    env.restore(episode.states[0])

    def replay() -> None:
        for action in episode.actions:
            env.step(action)

    return episode.steps / replay_seconds(env, episode, replay)


def _with_cameras(number: int, episode: RolloutResult, effort: Effort) -> Measurement:
    with parallel_processes(number) as executor:
        samples = total_rates(executor, number, partial(image_step_rates, episode, effort))
    name = "control_two_cameras" if number == 1 else f"control_two_cameras_{number}_processes"
    label = f"LIBERO, control steps, two {SMALL[0]} x {SMALL[1]} cameras, {number} process" + "es" * (number > 1)
    return measurement(name, label, "control steps/s", samples, "control_no_cameras")


def image_step_rates(episode: RolloutResult, effort: Effort) -> tuple[float, ...]:
    """Control steps per second of this process in each repetition, rendering every image of every step."""
    env = make(TASK, image_size=SMALL)
    env.restore(episode.states[0]).images()  # makes the OpenGL context
    rates, actions = [], episode.actions[: effort.steps]
    for _ in range(effort.repeats):
        env.restore(episode.states[0])
        wait_for_siblings()
        started = time.perf_counter()
        for action in actions:
            env.step(action).observation.images()
        rates.append(len(actions) / (time.perf_counter() - started))
    env.close()
    return tuple(rates)


def _reset_times(env: Environment, effort: Effort) -> list[float]:
    times = []
    for number in range(max(1, RESETS * effort.repeats // 5)):
        started = time.perf_counter()
        env.reset(1 + number)
        times.append(1e3 * (time.perf_counter() - started))
    return times


def _recording(effort: Effort, workers: int) -> Iterator[Measurement]:
    """What `record-episodes` takes with its default cameras, start-up and the merged file included."""
    cameras, size = FAMILIES["libero"].cameras, FAMILIES["libero"].image_size if effort.seconds >= 1 else (32, 32)
    setup = f"two {size[0]} x {size[1]} cameras"
    with tempfile.TemporaryDirectory(prefix="ambidex-throughput-") as folder:
        output = Path(folder) / "dataset"
        cost = record(TASK, output, cameras, size, effort.episodes, workers)
        steps = [attempt.steps for attempt in read_attempts(output)]
        megabytes = Dataset(output).paths[0].parent.stat().st_size / MEGABYTE
    label = f"LIBERO, recording a demonstration, {setup}, start-up included ({effort.episodes} episodes)"
    yield measurement("demonstration_seconds", label, "s", [cost.seconds / effort.episodes])
    yield measurement("demonstration_steps", "LIBERO, steps of such a demonstration", "steps", steps)
    label = f"LIBERO, processor time of a recorded step, {setup}, all cores"
    yield measurement("step_milliseconds", label, "ms", [1e3 * cost.processor_seconds / sum(steps)])
    label = f"LIBERO, size of a demonstration, {setup}"
    yield measurement("demonstration_megabytes", label, "MB", [megabytes / effort.episodes])
