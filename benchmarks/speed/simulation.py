"""Steps per second of one core, without images."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle

import mujoco
import numpy as np

from ambidex.benchmarks.speed.timing import Effort, Figure, rate, rates, side_by_side, wait_for_siblings
from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.renderer import QUALITIES
from ambidex.envs.types import FloatArray, RolloutResult
from ambidex.scripted_policies.registry import make_expert

TASK = "insertion"
SETTLE_STEPS = 1000  # until the objects lie on the table [physics steps]
BLOCK = 500  # physics steps between two looks at the clock


def simulation_figures(effort: Effort) -> Iterator[Figure]:
    """Physics and control steps per second."""
    figure = partial(Figure, section="simulation")
    home = rates(_resting_world(), effort)
    yield figure(name="physics_at_home", label="physics, cell at rest at home", unit="physics steps/s", samples=home)
    env = make(TASK, cameras=())
    results = _rollouts(env, effort.episodes)
    replayed = tuple(_physics_rate(env, result) for result in results)
    yield figure(
        name="physics_with_expert",
        label="physics, while the expert works",
        unit="physics steps/s",
        samples=replayed,
        relative_to="physics_at_home",
    )
    yield figure(
        name="control_with_expert",
        label="control steps with the expert, joint control",
        unit="control steps/s",
        samples=_control_rates(results),
    )
    yield figure(
        name="control_with_expert_ee",
        label="control steps with the expert, end-effector control",
        unit="control steps/s",
        samples=_control_rates(_rollouts(make(TASK, control="ee", cameras=()), effort.episodes)),
        relative_to="control_with_expert",
    )


def _resting_world() -> "partial[int]":
    scene = make(TASK, cameras=()).scene
    mujoco.mj_step(scene.model, scene.data, SETTLE_STEPS)
    return partial(_step, scene.model, scene.data)


def _step(model: mujoco.MjModel, data: mujoco.MjData) -> int:
    mujoco.mj_step(model, data, BLOCK)
    return BLOCK


def _rollouts(env: Environment, episodes: int) -> list[RolloutResult]:
    expert = make_expert(env)
    rollout(env, expert, 0, stop_at_success=True)  # the first one pays for imports and caches
    return [rollout(env, expert, seed) for seed in range(episodes)]


def _control_rates(results: list[RolloutResult]) -> tuple[float, ...]:
    return tuple(result.steps / result.wall_s for result in results)


def _physics_rate(env: Environment, result: RolloutResult) -> float:
    """Physics steps per second of an episode's world alone, under the commands that acted in it."""
    env.restore(result.states[0])
    scene, joints = env.scene, JointSpace(env.scene)
    substeps = round(1.0 / env.spec.control_hz / scene.model.opt.timestep)
    started = time.perf_counter()
    for command in result.joint_actions:
        joints.command(command)
        scene.advance(substeps)
    elapsed = time.perf_counter() - started
    if not np.array_equal(scene.state(), result.states[-1]):
        raise AssertionError("The timed world is not the world of the episode.")
    return float(result.steps * substeps / elapsed)


# FOLDED benchmarks.throughput_rendering: Frames per second, per quality and image size, in one process and in several.

QUALITY_NAMES = tuple(QUALITIES)


def rendering_figures(effort: Effort, processes: int) -> Iterator[Figure]:
    """Every frame shows another moment of an expert's episode; the family's cameras take turns."""
    env = make(TASK, cameras=())
    states = rollout(env, make_expert(env), 0).states
    for count in sorted({1, processes}):
        with side_by_side(count) as executor:
            for size in effort.image_sizes:
                for quality in QUALITY_NAMES:
                    yield _figure(executor, count, size, quality, states, effort)


def _figure(
    executor: ProcessPoolExecutor, count: int, size: tuple[int, int], quality: str, states: FloatArray, effort: Effort
) -> Figure:
    job = partial(frame_rates, states, size, quality, effort)
    each = [future.result() for future in [executor.submit(job) for _ in range(count)]]
    height, width = size
    name = f"{quality}_{height}x{width}"
    processes = "1 process" if count == 1 else f"{count} processes"
    base = name if count > 1 else f"{QUALITY_NAMES[0]}_{height}x{width}" if quality != QUALITY_NAMES[0] else ""
    return Figure(
        section="rendering",
        name=name if count == 1 else f"{name}_{count}_processes",
        label=f"{quality}, {height} x {width}, {processes}",
        unit="frames/s",
        samples=tuple(float(total) for total in np.sum(each, axis=0)),
        relative_to=base,
    )


def frame_rates(states: FloatArray, size: tuple[int, int], quality: str, effort: Effort) -> tuple[float, ...]:
    """Frames per second of this process, at the same time as its siblings'; one value per repetition."""
    env = make(TASK, image_size=size, render_quality=quality)
    shots = zip(cycle(states), cycle(env.spec.cameras), strict=False)

    def render() -> int:
        env.render(*next(shots))
        return 1

    render()  # makes the OpenGL context
    samples = []
    for _ in range(effort.repeats):
        wait_for_siblings()
        samples.append(rate(render, effort.seconds))
    env.close()
    return tuple(samples)
