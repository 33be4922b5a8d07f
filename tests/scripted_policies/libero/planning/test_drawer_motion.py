"""Motions of drawers whose handles are hard to reach: low under two others, or beside a rack."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import FixtureJoint
from ambidex.scripted_policies.libero.planning.drawer_motion import DrawerPlanner
from ambidex.scripted_policies.registry import make_expert

LOW, BESIDE_RACK = "libero_90/6", "libero_90/23"
SEEDS = {LOW: 2, BESIDE_RACK: 6}  # a bowl in the drawer's way, a bowl between hand and bar


def planner_of(task: str, drawer: str) -> tuple[SkillContext, FixtureJoint, DrawerPlanner]:
    env = make(task, cameras=())
    env.reset(SEEDS[task])
    context = SkillContext(env.scene, env.task)  # type: ignore[arg-type]
    joint = FixtureJoint(env.scene, f"{drawer}_level")
    return context, joint, DrawerPlanner(context, joint, f"{drawer}_handle")


def test_a_low_bar_is_grasped_by_its_ends() -> None:
    context, joint, planner = planner_of(LOW, "wooden_cabinet_1_bottom")
    bar = context.scene.site_pose("wooden_cabinet_1_bottom_handle")
    motions = planner.pulls(-0.168)
    assert motions
    for tool, end in motions:
        assert abs(np.dot(tool.axis(1), bar.axis(0))) == pytest.approx(1.0, abs=1e-6)
        np.testing.assert_allclose(end.position - tool.position, -0.168 * joint.axis, atol=1e-9)


def test_planning_does_not_change_the_scene() -> None:
    context, _, planner = planner_of(BESIDE_RACK, "white_cabinet_1_bottom")
    before = context.scene.data.qpos.copy()
    assert planner.pushes(0.022)
    np.testing.assert_array_equal(context.scene.data.qpos, before)


@pytest.mark.parametrize("task", [LOW, BESIDE_RACK])
def test_the_expert_moves_the_drawer(task: str) -> None:
    env = make(task, cameras=())
    assert rollout(env, make_expert(env), SEEDS[task], stop_at_success=True).success
