"""Speed of physics, control and rendering, in the ALOHA workcell or of single tasks."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle

import mujoco
import numpy as np

from ambidex.benchmarks.speed.timing import (
    Effort,
    Measurement,
    parallel_processes,
    rate,
    rates,
    total_rates,
    wait_for_siblings,
)
from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.renderer import QUALITIES
from ambidex.envs.types import FloatArray, RolloutResult
from ambidex.scripted_policies.registry import make_expert

TASK = "insertion"
SETTLE_STEPS = 1000  # until the objects lie still on the table [physics steps]
BLOCK = 500  # between two readings of the clock [physics steps]
QUALITY_NAMES = tuple(QUALITIES)


def measure_simulation(effort: Effort) -> Iterator[Measurement]:
    """Physics steps and control steps per second of one process, without images."""
    measurement = partial(Measurement, "simulation")
    yield measurement("physics_at_home", "physics, cell at rest at home", "physics steps/s", _rest_rates(effort))
    env = make(TASK, cameras=())
    results = _rollouts(env, effort.episodes)
    physics = [_physics_rate(env, result) for result in results]
    label = "physics, while the expert works"
    yield measurement("physics_with_expert", label, "physics steps/s", physics, "physics_at_home")
    label = "control steps with the expert, joint control"
    yield measurement("control_with_expert", label, "control steps/s", _control_rates(results))
    rates_ee = _control_rates(_rollouts(make(TASK, control="ee", cameras=()), effort.episodes))
    label = "control steps with the expert, end-effector control"
    yield measurement("control_with_expert_ee", label, "control steps/s", rates_ee, "control_with_expert")


def _rest_rates(effort: Effort) -> tuple[float, ...]:
    scene = make(TASK, cameras=()).scene
    mujoco.mj_step(scene.model, scene.data, SETTLE_STEPS)

    def step() -> int:
        mujoco.mj_step(scene.model, scene.data, BLOCK)
        return BLOCK

    return rates(step, effort)


def _rollouts(env: Environment, episodes: int) -> list[RolloutResult]:
    expert = make_expert(env)
    rollout(env, expert, 0, stop_at_success=True)  # imports modules and fills caches, so it does not count
    return [rollout(env, expert, seed) for seed in range(episodes)]


def _control_rates(results: list[RolloutResult]) -> list[float]:
    return [result.steps / result.wall_s for result in results]


def _physics_rate(env: Environment, result: RolloutResult) -> float:
    """Physics steps per second of an episode's simulation alone, replayed with its joint commands."""
    env.restore(result.states[0])
    scene, joints = env.scene, JointSpace(env.scene)
    substeps = round(1.0 / env.spec.control_hz / scene.model.opt.timestep)

    def replay() -> None:
        for command in result.joint_actions:
            joints.command(command)
            scene.advance(substeps)

    return float(result.steps * substeps / replay_seconds(env, result, replay))


def replay_seconds(env: Environment, result: RolloutResult, replay: Callable[[], None]) -> float:
    """How long it takes to replay an episode [s]. It must end in the episode's last state."""
    started = time.perf_counter()
    replay()
    elapsed = time.perf_counter() - started
    if not np.array_equal(env.scene.state(), result.states[-1]):
        raise AssertionError("The replay that was timed did not end in the state of the episode.")
    return elapsed


def measure_rendering(effort: Effort, processes: int) -> Iterator[Measurement]:
    """Frames per second for each quality and image size, in one process and in several.

    Each frame shows the next state of an expert's episode, from one camera of the family after the other.
    """
    env = make(TASK, cameras=())
    states = rollout(env, make_expert(env), 0).states
    for count in sorted({1, processes}):
        with parallel_processes(count) as executor:
            for size in effort.image_sizes:
                for quality in QUALITY_NAMES:
                    yield _rendering(executor, count, size, quality, states, effort)


def measure_tasks(effort: Effort, tasks: Sequence[str]) -> Iterator[Measurement]:
    """Control steps and frames per second of one process for each task: what its objects and its expert cost."""
    size, quality = effort.image_sizes[0], QUALITY_NAMES[0]
    for task in tasks:
        results = _rollouts(make(task, cameras=()), effort.episodes)
        label = f"{task}, control steps with the expert"
        yield Measurement("tasks", f"control_{task}", label, "control steps/s", _control_rates(results))
        frames = frame_rates(task, results[0].states, size, quality, effort)
        label = f"{task}, {quality}, {size[0]} x {size[1]}, 1 process"
        yield Measurement("tasks", f"frames_{task}", label, "frames/s", frames)


def _rendering(
    executor: ProcessPoolExecutor, count: int, size: tuple[int, int], quality: str, states: FloatArray, effort: Effort
) -> Measurement:
    height, width = size
    name = f"{quality}_{height}x{width}"
    processes = "1 process" if count == 1 else f"{count} processes"
    base = name if count > 1 else f"{QUALITY_NAMES[0]}_{height}x{width}" if quality != QUALITY_NAMES[0] else ""
    samples = total_rates(executor, count, partial(frame_rates, TASK, states, size, quality, effort))
    label = f"{quality}, {height} x {width}, {processes}"
    full_name = name if count == 1 else f"{name}_{count}_processes"
    return Measurement("rendering", full_name, label, "frames/s", samples, base)


def frame_rates(
    task: str, states: FloatArray, size: tuple[int, int], quality: str, effort: Effort
) -> tuple[float, ...]:
    """Frames per second of this process in each repetition, while its siblings render too."""
    env = make(task, image_size=size, render_quality=quality)
    views = zip(cycle(states), cycle(env.spec.cameras), strict=False)

    def render() -> int:
        env.render(*next(views))
        return 1

    render()  # makes the OpenGL context
    samples = []
    for _ in range(effort.repeats):
        wait_for_siblings()
        samples.append(rate(render, effort.seconds))
    env.close()
    return tuple(samples)
