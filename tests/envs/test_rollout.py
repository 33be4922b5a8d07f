"""Rollouts end at the horizon, at success or at an error of the agent."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import NO_CODE, Float32Array, Observation
from ambidex.errors import RenderingError
from ambidex.scripted_policies.registry import make_expert


class HoldsStill:
    """Holds its initial posture."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._action = observation.qpos.astype(np.float32)

    def act(self, observation: Observation) -> Float32Array:
        return self._action


def test_an_exception_in_the_agent_is_the_outcome_error() -> None:
    class FailsLater(HoldsStill):
        def act(self, observation: Observation) -> Float32Array:
            if observation.time > 0.1:
                raise ZeroDivisionError("no")
            return super().act(observation)

    result = rollout(make("insertion", cameras=()), FailsLater(), 0)
    assert result.outcome == "error"
    assert "ZeroDivisionError" in result.reason
    assert len(result.states) == result.steps + 1 > 1


@pytest.mark.parametrize("fault", [MemoryError, RenderingError])
def test_a_fault_of_the_machine_is_raised(fault: type[Exception]) -> None:
    class FailsAtOnce(HoldsStill):
        def act(self, observation: Observation) -> Float32Array:
            raise fault("no memory")

    with pytest.raises(fault):
        rollout(make("insertion", cameras=()), FailsAtOnce(), 0)


def test_stop_at_success_ends_the_episode_early() -> None:
    env = make("transfer_cube", cameras=())
    result = rollout(env, make_expert(env), 0, stop_at_success=True)
    assert result.success
    assert result.steps < 300


def test_codes_of_the_agent_are_recorded() -> None:
    class Coded(HoldsStill):
        code = NO_CODE

        def act(self, observation: Observation) -> Float32Array:
            self.code += 1
            return super().act(observation)

    env = make("insertion", cameras=(), horizon=3)
    assert rollout(env, Coded(), 0).codes.tolist() == [0, 1, 2]
    assert rollout(env, HoldsStill(), 0).codes.tolist() == [NO_CODE] * 3


def test_the_reason_of_a_failure_is_what_does_not_hold_at_the_end() -> None:
    env = make("insertion", cameras=(), horizon=3)
    holding = iter([{"near": False, "held": False}, {"near": True, "held": False}, {"near": False, "held": True}] * 2)
    env.task.checks = lambda scene: next(holding)  # type: ignore[method-assign]
    result = rollout(env, HoldsStill(), 0)
    assert result.outcome == "failure" and "near" in result.reason and "held" not in result.reason
