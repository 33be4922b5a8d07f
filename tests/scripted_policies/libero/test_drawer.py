"""Drawers whose handles are hard to get at: low under two others, or beside a rack."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import Articulation
from ambidex.scripted_policies.libero.planning.drawer import DrawerPlan
from ambidex.scripted_policies.registry import make_expert

LOW, RACK = "libero_90/6", "libero_90/23"
SEEDS = {LOW: 2, RACK: 6}  # a bowl in the drawer's way, a bowl between hand and bar


def plan_of(task: str, drawer: str) -> tuple[Workplace, Articulation, DrawerPlan]:
    env = make(task, cameras=())
    env.reset(SEEDS[task])
    work = Workplace(env.scene, env.task)  # type: ignore[arg-type]
    part = Articulation(env.scene, f"{drawer}_level")
    return work, part, DrawerPlan(work, part, f"{drawer}_handle")


def test_a_low_bar_is_pinched_by_its_ends() -> None:
    work, drawer, plan = plan_of(LOW, "wooden_cabinet_1_bottom")
    bar = work.scene.site_pose("wooden_cabinet_1_bottom_handle")
    strokes = plan.pulls(-0.168)
    assert strokes
    for stroke in strokes:
        assert abs(np.dot(stroke.tool.axis(1), bar.axis(0))) == pytest.approx(1.0, abs=1e-6)
        np.testing.assert_allclose(stroke.end.position - stroke.tool.position, -0.168 * drawer.axis, atol=1e-9)


def test_planning_leaves_the_world_alone() -> None:
    work, _, plan = plan_of(RACK, "white_cabinet_1_bottom")
    before = work.scene.data.qpos.copy()
    assert plan.pushes(0.022)
    np.testing.assert_array_equal(work.scene.data.qpos, before)


@pytest.mark.parametrize("task", [LOW, RACK])
def test_the_expert_moves_them(task: str) -> None:
    env = make(task, cameras=())
    assert rollout(env, make_expert(env), SEEDS[task], stop_at_success=True).success
