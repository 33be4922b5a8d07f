"""Experts solve their tasks through the controller, smoothly, and baselines do not."""

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.registry import TASKS
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent, Float32Array, FloatArray, Observation, RolloutResult
from ambidex.errors import RenderingError
from ambidex.scripted_policies.registry import make_expert

SERVO_SPEED = 3.14  # what the real joints follow [rad/s]
COMMAND_ACCELERATION = 80.0  # a bound of ours that catches jitter, which shows as hundreds [rad/s^2]
HINGES = [i for i in range(14) if i not in (6, 13)]


class Hold:
    """Stays where it is."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._action = observation.qpos.astype(np.float32)

    def act(self, observation: Observation) -> Float32Array:
        return self._action


class Random:
    """Uniform within the limits."""

    def __init__(self, env: Environment) -> None:
        self._low, self._high = env.controller.low, env.controller.high

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation) -> Float32Array:
        return self._rng.uniform(self._low, self._high).astype(np.float32)


def episodes(task: str, seeds: range, *, spread: str = "published", noise: float = 0.0) -> list[RolloutResult]:
    env = make(task, spread=spread, cameras=())
    expert = make_expert(env, noise=noise)
    return [rollout(env, expert, seed) for seed in seeds]


@pytest.mark.parametrize("spread", ["published", "wide"])
@pytest.mark.parametrize("task", TASKS)
def test_experts_solve_their_tasks(task: str, spread: str) -> None:
    results = episodes(task, range(10), spread=spread)
    assert sum(r.success for r in results) >= 9, [(r.seed, r.reason) for r in results if not r.success]
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


@pytest.mark.parametrize("task", TASKS)
def test_noise_changes_the_demonstration_but_not_its_success(task: str) -> None:
    plain = episodes(task, range(4))
    noisy = episodes(task, range(4), noise=1.0)
    again = episodes(task, range(4), noise=1.0)
    assert all(r.success for r in noisy)
    for a, b, c in zip(plain, noisy, again, strict=True):
        assert np.array_equal(a.states[0], b.states[0])
        assert np.abs(a.actions - b.actions).max() > 0.01
        assert np.array_equal(b.actions, c.actions)


@pytest.mark.parametrize("task", TASKS)
def test_end_effector_control_succeeds_as_well(task: str) -> None:
    env = make(task, control="ee", cameras=())
    expert = make_expert(env)
    assert all(rollout(env, expert, seed).success for seed in range(3))


@pytest.mark.parametrize("task", TASKS)
def test_a_real_arm_could_follow(task: str) -> None:
    for result in episodes(task, range(3), spread="wide"):
        assert np.abs(result.qvel[:, HINGES]).max() < SERVO_SPEED
        assert np.abs(commanded_acceleration(result)).max() < COMMAND_ACCELERATION


def commanded_acceleration(result: RolloutResult) -> FloatArray:
    commands = result.joint_actions[:, HINGES].astype(np.float64)
    return np.diff(commands, n=2, axis=0) * result.spec.control_hz**2


@pytest.mark.parametrize("task", TASKS)
def test_the_last_pose_is_held_after_success(task: str) -> None:
    result = episodes(task, range(1))[0]
    assert np.abs(result.qvel[-20:, HINGES]).max() < 0.05
    assert (result.stages[-40:] == 4).all()


@pytest.mark.parametrize("task", TASKS)
def test_grasped_parts_do_not_sink_into_each_other(task: str) -> None:
    env = make(task, cameras=())
    result = rollout(env, make_expert(env), 1)
    depths = []
    for state in result.states[15::5]:  # the drop at the start is an impact, not a grasp
        env.restore(state)
        depths.append(min(env.scene.data.contact.dist, default=0.0))
    assert min(depths) > -0.001


@pytest.mark.parametrize("task", TASKS)
def test_baselines_do_not_solve_it(task: str) -> None:
    env = make(task, cameras=())
    agents: list[Agent] = [Hold(), Random(env)]
    for agent in agents:
        assert not any(rollout(env, agent, seed).success for seed in range(3))


def test_an_exception_of_the_agent_is_an_outcome() -> None:
    class Broken(Hold):
        def act(self, observation: Observation) -> Float32Array:
            if observation.time > 0.1:
                raise ZeroDivisionError("no")
            return super().act(observation)

    result = rollout(make("insertion", cameras=()), Broken(), 0)
    assert result.outcome == "error"
    assert "ZeroDivisionError" in result.reason
    assert len(result.states) == result.steps + 1 > 1


@pytest.mark.parametrize("fault", [MemoryError, RenderingError])
def test_a_fault_of_the_machine_is_no_outcome(fault: type[Exception]) -> None:
    class Unlucky(Hold):
        def act(self, observation: Observation) -> Float32Array:
            raise fault("no memory")

    with pytest.raises(fault):
        rollout(make("insertion", cameras=()), Unlucky(), 0)


def test_stopping_at_success_stops_there() -> None:
    env = make("transfer_cube", cameras=())
    result = rollout(env, make_expert(env), 0, stop_at_success=True)
    assert result.success
    assert result.steps < 300


@pytest.mark.parametrize("task", TASKS)
def test_what_was_rolled_out_before_changes_nothing(task: str) -> None:
    """Parallel workers attempt seeds in any order, and give the same files."""
    forward, backward = episodes(task, range(3), noise=1.0), episodes(task, range(2, -1, -1), noise=1.0)
    for one, other in zip(forward, reversed(backward), strict=True):
        assert np.array_equal(one.states, other.states)
        assert np.array_equal(one.actions, other.actions)
