"""Placement of objects and fixtures: within LIBERO's ranges, without overlap, or an error that says why not."""

from pathlib import Path

import numpy as np
import pytest
from definition_text import TEXT, changed

from ambidex.envs.env import Environment, make
from ambidex.envs.robots.panda import HOME
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.initial_states.placement import GoalReachedError, NoFreeSpotError
from ambidex.envs.tasks.libero.initial_states.spread import SPREADS
from ambidex.envs.types import FloatArray
from ambidex.errors import SimulationError

SEEDS = range(12)


def initial_poses(env: Environment, name: str) -> FloatArray:
    """Initial poses in some episodes, shape (episodes, 7)."""
    poses = []
    for seed in SEEDS:
        env.reset(seed)
        poses.append(env.scene.body_poses([f"{name}_main"]))
    return np.array(poses)


def user_env(folder: Path, text: str, **options: object) -> Environment:
    path = folder / "own.bddl"
    path.write_text(text)
    return make(str(path), cameras=(), instruction_source="filename", **options)  # type: ignore[arg-type]


def test_ranges_are_drawn_as_in_libero() -> None:
    """A region of 20 mm is 30 mm wide for an object of radius 25 mm; a region of 50 mm is a point."""
    bowl = initial_poses(make("libero_goal/1", cameras=()), "akita_black_bowl_1")
    assert np.all(np.abs(bowl[:, :2] - (-0.09, 0.0)) <= 0.015 + 1e-4)
    assert np.ptp(bowl[:, 0]) > 0.01
    soup = initial_poses(make("libero_object/0", cameras=()), "alphabet_soup_1")
    assert np.ptp(soup[:, :2], axis=0) == pytest.approx(0.0, abs=1e-3)


def test_wide_spread_is_wider_in_position_and_yaw() -> None:
    narrow, wide = (
        initial_poses(make("libero_object/0", cameras=(), spread=s), "milk_1") for s in ("published", "wide")
    )
    assert np.all(np.ptp(wide[:, :2], axis=0) > np.ptp(narrow[:, :2], axis=0))
    assert np.ptp(narrow[:, 6]) < 1e-3 < np.ptp(wide[:, 6])
    assert SPREADS["wide"].fixture_range((0.0, 0.0, 0.1, 0.1)) == (0.0, 0.0, 0.1, 0.1)


def test_fixtures_are_drawn_within_their_region() -> None:
    cabinet = initial_poses(make("libero_goal/1", cameras=()), "wooden_cabinet_1")
    assert np.all((cabinet[:, :2] >= (0.02, -0.25)) & (cabinet[:, :2] <= (0.04, -0.23)))
    assert np.ptp(cabinet[:, 0]) > 0.005
    assert np.abs(cabinet[:, 6]) == pytest.approx(1.0)  # by half a turn


def test_the_arm_is_near_home_and_stays() -> None:
    env = make("libero_goal/1", cameras=(), control="joint")
    offsets = np.array([env.reset(seed).qpos[:7] - HOME for seed in range(40)])
    assert offsets.std() == pytest.approx(0.02, rel=0.15)
    first = env.reset(0)
    for _ in range(20):
        step = env.step(env.controller.idle(env.scene))
    assert np.abs(step.observation.qpos - first.qpos)[:7].max() < 1e-4


def test_objects_are_placed_in_and_on_others() -> None:
    env = make("libero_spatial/4", cameras=())
    env.reset(0)
    drawer = env.scene.data.joint("wooden_cabinet_1_top_level").qpos[0]
    assert -0.16 <= drawer <= -0.14
    offset = env.scene.site_pose("wooden_cabinet_1_top_region").inverse() @ env.scene.body_pose(
        "akita_black_bowl_1_main"
    )
    assert np.abs(offset.position[:2]).max() < 0.03
    assert env.scene.bodies_touch("akita_black_bowl_1_main", "wooden_cabinet_1_cabinet_top")
    on = make("libero_spatial/5", cameras=())
    on.reset(0)
    assert on.scene.bodies_touch("akita_black_bowl_1_main", "glazed_rim_porcelain_ramekin_1_main")


def test_an_object_without_a_free_spot_is_an_error(tmp_path: Path) -> None:
    crowded = changed("((-0.1 0.0 0.1 0.2))", "((0.0 0.1 0.001 0.101))")
    with pytest.raises(NoFreeSpotError) as caught:
        user_env(tmp_path, crowded).reset(0)
    facts = caught.value.facts
    assert (facts["object"], facts["region"]) == ("plate_1", "kitchen_table_left_region")
    assert any("akita" in name for name in facts["blocked_by"])


def test_an_object_that_falls_off_the_table_is_an_error(tmp_path: Path) -> None:
    beyond = changed("((-0.1 0.0 0.1 0.2))", "((0.6 0.0 0.9 0.5))")
    with pytest.raises(SimulationError) as caught:
        user_env(tmp_path, beyond).reset(0)
    assert caught.value.facts["body"] in ("akita_black_bowl_1_main", "plate_1_main")


def test_the_initial_state_depends_on_the_text_of_the_definition(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = user_env(tmp_path / "a", TEXT), user_env(tmp_path / "b", TEXT)
    assert one.spec.task == str(tmp_path / "a" / "own.bddl") and one.spec.horizon == 600
    assert np.array_equal(one.reset(5).state, other.reset(5).state)
    edited = user_env(tmp_path / "a", TEXT + "; a comment\n")
    assert not np.array_equal(edited.reset(5).state, other.reset(5).state)


def test_a_fixture_can_be_placed_anywhere() -> None:
    env = make("libero_goal/7", cameras=())
    env.reset(0)
    env.scene.place_fixture("flat_stove_1_main", Pose.at((0.1, 0.2, 1.0)))
    env.scene.refresh()
    assert env.scene.body_pose("flat_stove_1_main").position == pytest.approx((0.1, 0.2, 1.0))


def test_a_goal_that_holds_initially_is_an_error(tmp_path: Path) -> None:
    goal = "(And (In akita_black_bowl_1 white_cabinet_1_top_region) (Close white_cabinet_1_top_region))"
    path = tmp_path / "open.bddl"
    path.write_text(changed(goal, "(Open white_cabinet_1_top_region)"))
    with pytest.raises(GoalReachedError, match=r"holds in the initial state: open\(white_cabinet_1_top_region\)"):
        make(str(path), cameras=(), instruction_source="filename").reset(0)
