"""The expert does one task of each kind, as a policy would act, and reads the world without touching it."""

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Float32Array, Observation
from ambidex.errors import UsageError
from ambidex.scripted_policies.registry import make_expert

PICK_AND_PLACE, DRAWER, KNOB, DOOR = "libero_goal/1", "libero_90/0", "libero_goal/7", "libero_90/33"


class WatchedExpert:
    """Notes what the expert does, and whether the world is the same after it has thought."""

    def __init__(self, env: Environment) -> None:
        self._env, self._expert = env, make_expert(env)
        self.actions: list[Float32Array] = []
        self.meddled = 0

    def reset(self, observation: Observation, seed: int) -> None:
        self._expert.reset(observation, seed)

    def act(self, observation: Observation) -> Float32Array:
        before, moment = self._env.scene.state(), self._env.scene.state_version
        self.actions.append(self._expert.act(observation))
        same = np.array_equal(before, self._env.scene.state()) and moment == self._env.scene.state_version
        self.meddled += not same
        return self.actions[-1]


@pytest.mark.parametrize("task", [PICK_AND_PLACE, DRAWER, KNOB, DOOR])
def test_one_task_of_each_kind_is_done(task: str) -> None:
    env = make(task, cameras=())
    expert = WatchedExpert(env)
    result = rollout(env, expert, 0, stop_at_success=True)
    assert result.success, result.reason
    assert all(action.dtype == np.float32 and action.shape == (7,) for action in expert.actions)
    assert np.abs(expert.actions).max() <= 1.0
    assert not expert.meddled


def test_joint_control_is_refused_with_the_way_to_joint_commands() -> None:
    with pytest.raises(UsageError, match=r"under ee control\. Leave --control out\. For joint commands record with"):
        make_expert(make(PICK_AND_PLACE, control="joint", cameras=()))
