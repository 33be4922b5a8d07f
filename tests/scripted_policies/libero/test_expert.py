"""The LIBERO expert solves one task of each kind, reads the scene without changing it, and forgets earlier episodes."""

import numpy as np
import pytest
from joint_speeds import SPEED_LIMITS, fastest_commands

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import Float32Array, Observation
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.expert import choose_skill
from ambidex.scripted_policies.libero.skills.insert import Insert
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import SubgoalKind, ordered_subgoals
from ambidex.scripted_policies.registry import make_expert

PICK_AND_PLACE, DRAWER, KNOB, DOOR = "libero_goal/1", "libero_90/0", "libero_goal/7", "libero_90/33"
INTO_BASKET, INTO_MICROWAVE, INTO_DRAWER = "libero_object/0", "libero_10/9", "libero_10/3"


class CheckedExpert:
    """Records the actions of the expert, and how often it has changed the scene."""

    def __init__(self, env: Environment) -> None:
        self._env, self._expert = env, make_expert(env)
        self.actions: list[Float32Array] = []
        self.changes = 0

    def reset(self, observation: Observation, seed: int) -> None:
        self._expert.reset(observation, seed)

    def act(self, observation: Observation) -> Float32Array:
        scene = self._env.scene
        before, version = scene.state(), scene.state_version
        self.actions.append(self._expert.act(observation))
        self.changes += not (np.array_equal(before, scene.state()) and version == scene.state_version)
        return self.actions[-1]


@pytest.mark.parametrize("task", [PICK_AND_PLACE, DRAWER, KNOB, DOOR])
def test_the_expert_solves_one_task_of_each_kind(task: str) -> None:
    env = make(task, cameras=())
    expert = CheckedExpert(env)
    result = rollout(env, expert, 0, stop_at_success=True)
    assert result.success, result.reason
    assert all(action.dtype == np.float32 and action.shape == (7,) for action in expert.actions)
    assert np.abs(expert.actions).max() <= 1.0
    assert not expert.changes
    assert (fastest_commands(result) <= SPEED_LIMITS[result.spec.robot]).all()


LONG_INTO_LOW_DRAWER = ("libero_90/KITCHEN_SCENE5_put_the_ketchup_in_the_top_drawer_of_the_cabinet", 1)
BETWEEN_BOWL_WALLS = ("libero_goal/put_the_cream_cheese_in_the_bowl", 7)
IN_NARROW_COMPARTMENT = ("libero_90/STUDY_SCENE2_pick_up_the_book_and_place_it_in_the_back_compartment_of_the_caddy", 1)


@pytest.mark.parametrize(("task", "seed"), [LONG_INTO_LOW_DRAWER, BETWEEN_BOWL_WALLS, IN_NARROW_COMPARTMENT])
def test_the_expert_lets_go_where_there_is_little_room(task: str, seed: int) -> None:
    env = make(task, cameras=())
    result = rollout(env, make_expert(env), seed, stop_at_success=True)
    assert result.success, result.reason


def test_under_joint_control_the_expert_moves_in_the_same_way() -> None:
    results = []
    for control in ("ee", "joint"):
        env = make(PICK_AND_PLACE, control=control, cameras=())
        results.append(rollout(env, make_expert(env), 0, stop_at_success=True))
    with_increments, with_joints = results
    assert with_joints.success and with_joints.actions.shape[1] == 8
    np.testing.assert_array_equal(with_joints.actions, with_increments.joint_actions)
    np.testing.assert_array_equal(with_joints.qpos, with_increments.qpos)
    np.testing.assert_array_equal(with_joints.objects, with_increments.objects)


@pytest.mark.parametrize("task", [INTO_BASKET, DRAWER], ids=["simulated drops", "drawer motions"])
def test_an_episode_does_not_depend_on_earlier_episodes_of_the_expert(task: str) -> None:
    env, other = make(task, cameras=()), make(task, cameras=())
    used = make_expert(env, noise=1.0)
    rollout(env, used, 1, stop_at_success=True)
    after = rollout(env, used, 0, stop_at_success=True)
    new = rollout(other, make_expert(other, noise=1.0), 0, stop_at_success=True)
    np.testing.assert_array_equal(after.actions, new.actions)
    np.testing.assert_array_equal(after.states, new.states)


def put_skill(task: str) -> Skill:
    env = make(task, cameras=())
    env.reset(0)
    assert isinstance(env.task, LiberoTask)
    context = SkillContext(env.scene, env.task)
    subgoals = ordered_subgoals(env.task.problem, context.holds, lambda joint: True)
    return choose_skill(context, next(subgoal for subgoal in subgoals if subgoal.kind is SubgoalKind.PUT))


def test_objects_are_inserted_into_a_microwave_and_put_into_a_drawer() -> None:
    assert isinstance(put_skill(INTO_MICROWAVE), Insert)
    assert type(put_skill(INTO_DRAWER)) is Put
