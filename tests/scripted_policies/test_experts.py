"""The ALOHA experts solve their tasks through the controller, with smooth motions; baselines do not."""

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest
from joint_speeds import SPEED_LIMITS, fastest_commands
from tutorial_tasks import register_tutorial_tasks

from ambidex.envs.env import Environment, make
from ambidex.envs.registry import HORIZONS, TASKS
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent, Float32Array, FloatArray, Observation, RolloutResult
from ambidex.scripted_policies import bimanual_expert
from ambidex.scripted_policies.registry import make_expert

SERVO_SPEED = 3.14  # of the real joints [rad/s]
SERVO_TORQUE = np.array([10.6, 21.2, 21.2, 10.6, 10.6, 4.1])  # at standstill, ROBOTIS: XM540-W270 (two each in shoulder
# and elbow) and, in wrist_rotate, XM430-W350 [N m]
COMMAND_ACCELERATION = 80.0  # jitter of a command shows as hundreds [rad/s^2]
WITH_SAMPLE = (*HORIZONS, "lift_cube")  # the task of the tutorials: three stages, another horizon
HINGES = [i for i in range(14) if i not in (6, 13)]
SEEDS = 2
LONG = 700  # control steps of a task from which on an episode costs seconds; one seed is looked at
SAMPLE = ("transfer_cube", "insertion", "lift_cube")  # all laws; an episode costs a second


def sampled(tasks: Iterable[str]) -> list[Any]:
    """The tasks as parameters; those outside of the sample are slow."""
    return [pytest.param(task, marks=() if task in SAMPLE else pytest.mark.slow) for task in tasks]


def seeds_of(task: str) -> range:
    """The seeds that several tests look at."""
    return range(1 if HORIZONS.get(task, 0) > LONG else SEEDS)


@pytest.fixture(autouse=True)
def _sample_task(monkeypatch: pytest.MonkeyPatch) -> None:
    register_tutorial_tasks(monkeypatch)


class Hold:
    """Holds its initial posture."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._action = observation.qpos.astype(np.float32)

    def act(self, observation: Observation) -> Float32Array:
        return self._action


class Random:
    """Uniformly random actions within the limits."""

    def __init__(self, env: Environment) -> None:
        self._low, self._high = env.controller.low, env.controller.high

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation) -> Float32Array:
        return self._rng.uniform(self._low, self._high).astype(np.float32)


class WithTorques:
    """An agent, and the largest torque of each joint in the physics step before each of its actions [N m]."""

    def __init__(self, env: Environment, agent: Agent) -> None:
        self._env, self._agent = env, agent
        model = env.scene.model
        self._joints = [model.joint(name).dofadr[0] for arm in env.scene.robot.arms for name in arm.joints]
        self.largest = np.zeros(len(self._joints))

    def reset(self, observation: Observation, seed: int) -> None:
        self._agent.reset(observation, seed)

    def act(self, observation: Observation) -> Float32Array:
        model, data = self._env.scene.model, self._env.scene.data
        # The damping of a joint is the velocity gain of its servo.
        torques = data.qfrc_actuator - model.dof_damping * data.qvel
        self.largest = np.maximum(self.largest, np.abs(torques[self._joints]))
        return self._agent.act(observation)


def watched_episodes(task: str, seeds: range, spread: str, noise: float) -> tuple[list[RolloutResult], FloatArray]:
    """Episodes, and the largest torque of each joint in them [N m]."""
    env = make(task, spread=spread, cameras=())
    expert = WithTorques(env, make_expert(env, noise=noise))
    results = [rollout(env, expert, seed) for seed in seeds]
    return results, expert.largest


def episodes(task: str, seeds: range, *, spread: str = "published", noise: float = 0.0) -> list[RolloutResult]:
    return watched_episodes(task, seeds, spread, noise)[0]


@cache
def first_watched_episodes(task: str, spread: str, noise: float) -> tuple[list[RolloutResult], FloatArray]:
    return watched_episodes(task, seeds_of(task), spread, noise)


def first_episodes(task: str, spread: str, noise: float = 0.0) -> list[RolloutResult]:
    """Those that several tests look at."""
    return first_watched_episodes(task, spread, noise)[0]


def one_episode(task: str, seed: int, *, spread: str = "") -> RolloutResult:
    """By default of the spread whose episodes other tests look at too."""
    spread = spread or ("published" if task in SAMPLE else "wide")
    if task in TASKS:
        return first_episodes(task, spread)[seed]
    return episodes(task, range(seed, seed + 1), spread=spread)[0]


@pytest.mark.parametrize(
    ("task", "spread"),
    [
        *((task, "wide") for task in HORIZONS),
        *(pytest.param(task, "wide", marks=pytest.mark.slow) for task in TASKS if task not in HORIZONS),
        *(pytest.param(*each.values, "published", marks=each.marks) for each in sampled(TASKS)),
    ],
)
def test_experts_solve_their_tasks(task: str, spread: str) -> None:
    results = first_episodes(task, spread)
    assert len(results) == len(seeds_of(task))
    assert all(r.success for r in results), [(r.seed, r.reason) for r in results if not r.success]
    assert all(r.steps == r.spec.horizon for r in results)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "spread", "rate"),
    [
        ("transfer_cube", "published", 0.99),
        ("insertion", "published", 0.97),
        ("transfer_cube", "wide", 0.95),
        ("insertion", "wide", 0.95),
    ],
)
def test_experts_reach_their_rates_over_seeds_0_to_999(task: str, spread: str, rate: float) -> None:
    results = episodes(task, range(1000), spread=spread)
    assert np.mean([r.success for r in results]) >= rate, [r.seed for r in results if not r.success]


@pytest.mark.parametrize("task", sampled(TASKS))
def test_noise_changes_the_actions_but_not_the_success(task: str) -> None:
    plain, noisy = first_episodes(task, "published"), first_episodes(task, "published", 1.0)
    assert all(r.success for r in noisy)
    for a, b in zip(plain, noisy, strict=True):
        assert np.array_equal(a.states[0], b.states[0])
        assert np.abs(a.actions - b.actions).max() > 0.01


@pytest.mark.parametrize("task", sampled(WITH_SAMPLE))
def test_experts_solve_their_tasks_under_end_effector_control(task: str) -> None:
    env = make(task, control="ee", cameras=())
    expert = make_expert(env)
    result = rollout(env, expert, 1)
    assert result.success
    quaternions = result.actions.reshape(len(result.actions), -1, 8)[:, :, 3:7]
    assert ((quaternions[1:] * quaternions[:-1]).sum(axis=-1) > 0).all()  # q and -q are the same orientation


@pytest.mark.parametrize("task", WITH_SAMPLE)
def test_speeds_and_accelerations_stay_within_those_of_the_real_servos(task: str) -> None:
    for seed in seeds_of(task):
        result = one_episode(task, seed, spread="wide")
        assert np.abs(result.qvel[:, HINGES]).max() < SERVO_SPEED
        assert np.abs(commanded_acceleration(result)).max() < COMMAND_ACCELERATION
        assert (fastest_commands(result) <= SPEED_LIMITS[result.spec.robot]).all()


@pytest.mark.parametrize("task", WITH_SAMPLE)
def test_torques_are_at_most_half_of_those_of_the_real_servos(task: str) -> None:
    _, largest = first_watched_episodes(task, "wide", 0.0)
    assert (largest > 0.0).any()
    assert (largest.reshape(-1, 6) <= 0.5 * SERVO_TORQUE).all(), largest


def commanded_acceleration(result: RolloutResult) -> FloatArray:
    commands = result.joint_actions[:, HINGES].astype(np.float64)
    return np.diff(commands, n=2, axis=0) * result.spec.control_hz**2


@pytest.mark.parametrize("task", WITH_SAMPLE)
def test_the_expert_holds_its_last_pose_after_success(task: str) -> None:
    result = one_episode(task, 0)
    assert np.abs(result.qvel[-20:, HINGES]).max() < 0.05
    assert (result.stages[-40:] == len(result.spec.stages) - 1).all()


@pytest.mark.parametrize("task", WITH_SAMPLE)
def test_no_contact_penetrates_deeply(task: str) -> None:
    env = make(task, cameras=())
    depths = []
    for state in one_episode(task, seeds_of(task)[-1]).states:
        env.restore(state)
        depths.append(min(env.scene.data.contact.dist, default=0.0))
    assert min(depths) > -0.001, np.argmin(depths)


@pytest.mark.parametrize("task", sampled(WITH_SAMPLE))
def test_holding_still_and_random_actions_do_not_solve_a_task(task: str) -> None:
    env = make(task, cameras=())
    agents: list[Agent] = [Hold(), Random(env)]
    for agent in agents:
        assert not rollout(env, agent, 0).success


@pytest.mark.parametrize("task", sampled(TASKS))
def test_episodes_do_not_depend_on_earlier_episodes(task: str) -> None:
    """Parallel workers roll out seeds in any order and have to give the same files."""
    forward, backward = episodes(task, range(2), noise=1.0), episodes(task, range(1, -1, -1), noise=1.0)
    for one, other in zip(forward, reversed(backward), strict=True):
        assert np.array_equal(one.states, other.states)
        assert np.array_equal(one.actions, other.actions)


def test_the_example_of_a_new_expert_lifts_the_cube() -> None:
    example = (bimanual_expert.__doc__ or "").split("lift a cube:")[1].split("A script reads")[0]
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(textwrap.dedent(example), namespace)
    env = make("transfer_cube", cameras=())
    result = rollout(env, namespace["LiftCubeExpert"](env), 0)
    assert result.stages.max() == env.task.stages.index("lifted")
