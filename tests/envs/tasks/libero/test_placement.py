"""Where things start: within LIBERO's ranges, out of each other, or an error that says what does not fit."""

from pathlib import Path

import numpy as np
import pytest
from definition_text import TEXT, changed

from ambidex.envs.env import Environment, make
from ambidex.envs.robots.panda import HOME
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.initial.placement import GoalReachedError, NoFreeSpotError
from ambidex.envs.tasks.libero.initial.spread import SPREADS
from ambidex.envs.types import FloatArray
from ambidex.errors import SimulationError

SEEDS = range(12)


def starts(env: Environment, thing: str) -> FloatArray:
    """Poses at the start of some episodes, shape (episodes, 7)."""
    env_poses = []
    for seed in SEEDS:
        env.reset(seed)
        env_poses.append(env.scene.body_poses([f"{thing}_main"]))
    return np.array(env_poses)


def own(folder: Path, text: str, **options: object) -> Environment:
    path = folder / "own.bddl"
    path.write_text(text)
    return make(str(path), cameras=(), **options)  # type: ignore[arg-type]


def test_ranges_are_libero_s_quirk_included() -> None:
    """A region of 20 mm for a thing of radius 25 mm is drawn 30 mm wide; one of 50 mm is a point."""
    (bowl,) = [starts(make("libero_goal/1", cameras=()), "akita_black_bowl_1")]
    assert np.all(np.abs(bowl[:, :2] - (-0.09, 0.0)) <= 0.015 + 1e-4)
    assert np.ptp(bowl[:, 0]) > 0.01
    soup = starts(make("libero_object/0", cameras=()), "alphabet_soup_1")
    assert np.ptp(soup[:, :2], axis=0) == pytest.approx(0.0, abs=1e-3)


def test_wide_is_wider_and_turns() -> None:
    narrow, wide = (starts(make("libero_object/0", cameras=(), spread=s), "milk_1") for s in ("published", "wide"))
    assert np.all(np.ptp(wide[:, :2], axis=0) > np.ptp(narrow[:, :2], axis=0))
    assert np.ptp(narrow[:, 6]) < 1e-3 < np.ptp(wide[:, 6])
    assert SPREADS["wide"].fixture_range((0.0, 0.0, 0.1, 0.1)) == (0.0, 0.0, 0.1, 0.1)


def test_fixtures_start_elsewhere_in_every_episode_and_within_their_region() -> None:
    cabinet = starts(make("libero_goal/1", cameras=()), "wooden_cabinet_1")
    assert np.all((cabinet[:, :2] >= (0.02, -0.25)) & (cabinet[:, :2] <= (0.04, -0.23)))
    assert np.ptp(cabinet[:, 0]) > 0.005
    assert np.abs(cabinet[:, 6]) == pytest.approx(1.0)  # turned by half


def test_the_arm_starts_near_home_and_stays() -> None:
    env = make("libero_goal/1", cameras=(), control="joint")
    offsets = np.array([env.reset(seed).qpos[:7] - HOME for seed in range(40)])
    assert offsets.std() == pytest.approx(0.02, rel=0.15)
    first = env.reset(0)
    for _ in range(20):
        step = env.step(env.controller.idle(env.scene))
    assert np.abs(step.observation.qpos - first.qpos)[:7].max() < 1e-4


def test_things_start_on_and_in_things() -> None:
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


def test_an_object_without_room_is_an_error_that_names_it(tmp_path: Path) -> None:
    crowded = changed("((-0.1 0.0 0.1 0.2))", "((0.0 0.1 0.001 0.101))")
    with pytest.raises(NoFreeSpotError, match=r"no free spot for plate_1 in region kitchen_table_left_region .* akita"):
        own(tmp_path, crowded).reset(0)


def test_a_thing_that_falls_off_the_table_is_an_error_that_names_it(tmp_path: Path) -> None:
    beyond = changed("((-0.1 0.0 0.1 0.2))", "((0.6 0.0 0.9 0.5))")
    with pytest.raises(SimulationError, match=r"(akita_black_bowl_1|plate_1)_main does not come to rest"):
        own(tmp_path, beyond).reset(0)


def test_a_start_is_a_pure_function_of_the_definition_s_text(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = own(tmp_path / "a", TEXT), own(tmp_path / "b", TEXT)
    assert one.spec.task == str(tmp_path / "a" / "own.bddl") and one.spec.horizon == 600
    assert np.array_equal(one.reset(5).state, other.reset(5).state)
    changed_text = own(tmp_path / "a", TEXT + "; another text\n")
    assert not np.array_equal(changed_text.reset(5).state, other.reset(5).state)


def test_a_fixture_can_be_put_anywhere() -> None:
    env = make("libero_goal/7", cameras=())
    env.reset(0)
    env.scene.place_fixture("flat_stove_1_main", Pose.at((0.1, 0.2, 1.0)))
    env.scene.refresh()
    assert env.scene.body_pose("flat_stove_1_main").position == pytest.approx((0.1, 0.2, 1.0))


def test_a_goal_that_holds_at_the_start_is_named(tmp_path: Path) -> None:
    goal = "(And (In akita_black_bowl_1 white_cabinet_1_top_region) (Close white_cabinet_1_top_region))"
    path = tmp_path / "open.bddl"
    path.write_text(changed(goal, "(Open white_cabinet_1_top_region)"))
    with pytest.raises(GoalReachedError, match=r"holds at the start: open\(white_cabinet_1_top_region\)"):
        make(str(path), cameras=()).reset(0)
