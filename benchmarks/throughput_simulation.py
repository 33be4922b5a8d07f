"""Steps per second of one core, without images."""

import time
from collections.abc import Iterator
from functools import partial

import mujoco
import numpy as np

from ambidex.benchmarks.throughput_timing import Effort, Figure, rates
from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.types import RolloutResult
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
