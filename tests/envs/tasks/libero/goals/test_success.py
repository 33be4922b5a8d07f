"""Objects at rest and released, on both sides of the limits."""

import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.simulation.pose import Pose

BOWL_JOINT, BOWL = "akita_black_bowl_1_joint0", "akita_black_bowl_1_main"


def reset_env(task: str) -> Environment:
    env = make(task, cameras=())
    env.reset(0)
    return env


@pytest.mark.parametrize(
    ("task", "joint", "axis", "bound"),
    [
        ("libero_goal/0", "wooden_cabinet_1_middle_level", 0, 0.01),
        ("libero_goal/1", BOWL_JOINT, 0, 0.01),
        ("libero_goal/1", BOWL_JOINT, 2, 0.01),
        ("libero_goal/1", BOWL_JOINT, 5, 0.1),
        ("libero_goal/7", "flat_stove_1_button", 0, 0.1),
    ],
)
def test_speed_above_the_limit_is_not_at_rest(task: str, joint: str, axis: int, bound: float) -> None:
    env = reset_env(task)
    for speed, rests in ((0.9, True), (-0.9, True), (1.1, False), (-1.1, False), (3.0, False)):
        env.scene.data.joint(joint).qvel[axis] = speed * bound
        env.scene.refresh()
        assert env.task.checks(env.scene)["at rest"] == rests


def test_an_object_that_leans_on_the_forearm_is_not_released() -> None:
    env = reset_env("libero_goal/1")
    assert env.task.checks(env.scene)["released"]
    env.scene.place(BOWL, Pose.at(env.scene.body_pose("robot0_link5").shifted((0.0, 0.0, -0.08)).position))
    env.scene.refresh()
    assert env.scene.bodies_touch("robot0_link5", BOWL) and not env.scene.bodies_touch("robot0_right_hand", BOWL)
    assert not env.task.checks(env.scene)["released"]
