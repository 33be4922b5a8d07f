"""LIBERO tasks: success, stages, initial states and settling."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from definition_text import TEXT, changed
from goal_states import goal_states
from torch_file import write_states

from ambidex.codec import from_json, to_json
from ambidex.envs.env import Environment, make, make_from_spec
from ambidex.envs.registry import find_task
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, UnknownNameError, UsageError

BOWL, STOVE = "akita_black_bowl_1_main", "flat_stove_1_main"


def bowl_on_the_stove(success: str, **options: object) -> Environment:
    """The bowl is placed just above the goal of libero_goal/1."""
    env = make("libero_goal/1", cameras=(), success=success, **options)  # type: ignore[arg-type]
    env.reset(0)
    env.scene.place(BOWL, env.scene.site_pose("flat_stove_1_burner").shifted((0.0, 0.0, 0.005)))
    env.scene.refresh()
    return env


def idle(env: Environment) -> np.ndarray:
    return env.controller.idle(env.scene)


def test_libero_s_success_needs_one_step_and_stays() -> None:
    env = bowl_on_the_stove("libero")
    step = env.step(idle(env))
    assert step.success and set(step.checks) == {"on(akita_black_bowl_1, flat_stove_1_cook_region)"}
    env.scene.place(BOWL, Pose.at((-0.1, 0.0, 0.91)))
    env.scene.refresh()
    step = env.step(idle(env))
    assert step.success and not any(step.checks.values())
    env.reset(0)
    assert not env.step(idle(env)).success


def test_strict_success_needs_half_a_second_and_does_not_stay() -> None:
    env = bowl_on_the_stove("strict")
    succeeded = [env.step(idle(env)).success for _ in range(16)]
    assert succeeded.index(True) >= 9 and all(succeeded[succeeded.index(True) :])
    env.scene.place(BOWL, Pose.at((-0.1, 0.0, 0.91)))
    env.scene.refresh()
    assert not env.step(idle(env)).success


def test_an_object_that_the_hand_touches_is_not_released() -> None:
    env = bowl_on_the_stove("strict")
    assert env.step(idle(env)).stage == 3 and env.task.checks(env.scene)["released"]
    tool = env.scene.site_pose("robot0_grip_site")
    env.scene.place(BOWL, Pose.at(tool.shifted((0.0, 0.03, -0.04)).position))
    env.scene.refresh()
    assert env.stage() == 1 and not env.task.checks(env.scene)["released"]
    env.scene.data.joint("akita_black_bowl_1_joint0").qvel[2] = 0.2
    env.scene.refresh()
    checks = env.task.checks(env.scene)
    assert env.stage() == 2 and not checks["at rest"]


def test_motion_without_the_robot_is_no_stage() -> None:
    env = make("libero_goal/0", cameras=())
    env.reset(0)
    env.scene.data.joint("wooden_cabinet_1_middle_level").qvel[0] = -0.2
    env.scene.refresh()
    assert env.stage() == 0 and not env.task.checks(env.scene)["at rest"]


def test_the_stage_counts_the_atoms_of_the_goal() -> None:
    env = make("libero_10/8", cameras=())
    env.reset(0)
    assert env.spec.stages == ("none", "touched", "moved", "1 of 3 goals", "2 of 3 goals", "3 of 3 goals")
    assert env.stage() == 3  # the stove is on
    env.scene.data.joint("flat_stove_1_button").qpos = 0.0
    env.scene.refresh()
    assert env.stage() == 0


def test_horizon_and_settling_are_part_of_the_spec() -> None:
    env = make("libero_goal/1", cameras=(), horizon=3, settle_steps=10, success="libero")
    opened = env.reset(0).qpos[7]
    assert opened > 0.9 and env.scene.data.time == 0.0  # ten steps have opened the gripper
    steps = [env.step(idle(env)) for _ in range(3)]
    assert [step.truncated for step in steps] == [False, False, True]
    spec = from_json(EnvSpec, to_json(env.spec))
    assert np.array_equal(make_from_spec(spec).reset(0).state, env.reset(0).state)
    assert make("libero_goal/1", cameras=()).spec.horizon == 300


def test_the_object_state_holds_objects_fixtures_and_moving_parts() -> None:
    env = make("libero_goal/1", cameras=())
    assert env.spec.object_names == (
        *("akita_black_bowl_1_main", "cream_cheese_1_main", "wine_bottle_1_main", "plate_1_main"),
        *("wooden_cabinet_1_main", "wooden_cabinet_1_cabinet_top", "wooden_cabinet_1_cabinet_middle"),
        *("wooden_cabinet_1_cabinet_bottom", "flat_stove_1_main", "flat_stove_1_button", "wine_rack_1_main"),
    )
    assert env.reset(0).objects.shape == (77,)


def test_the_gripper_can_hold_during_settling() -> None:
    start, opens, holds = (
        make("libero_goal/1", cameras=(), **options).reset(0).qpos[7]  # type: ignore[arg-type]
        for options in ({}, {"settle_steps": 5}, {"settle_steps": 5, "settle_gripper": "hold"})
    )
    assert opens > start + 0.1 and holds == pytest.approx(start, abs=0.01)
    with pytest.raises(UnknownNameError) as caught:
        make("libero_goal/1", settle_gripper="close")
    assert caught.value.facts["expected"] == ["hold", "open"]


@pytest.mark.parametrize("options", [{"horizon": 0}, {"settle_steps": -1}])
def test_invalid_numbers_of_steps_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError) as caught:
        make("libero_goal/1", cameras=(), **options)  # type: ignore[arg-type]
    assert options.items() <= caught.value.facts.items()


def test_unknown_success_criteria_are_refused() -> None:
    for task, success, known in (("libero_goal/1", "loose", ["libero", "strict"]), ("insertion", "libero", ["strict"])):
        with pytest.raises(UnknownNameError) as caught:
            make(task, success=success)
        assert (caught.value.facts["got"], caught.value.facts["expected"]) == (success, known)


def test_specs_of_older_files_have_the_defaults() -> None:
    values = to_json(make("insertion", cameras=()).spec)
    for added in ("success", "settle_steps", "settle_gripper", "init_states", "instruction_source"):
        del values[added]
    spec = from_json(EnvSpec, values)
    assert (spec.success, spec.settle_steps, spec.init_states) == ("strict", 0, "")
    assert spec.instruction_source == "filename"
    del values["task"]
    with pytest.raises(ValueError, match="task: missing field"):
        from_json(EnvSpec, values)


def test_an_alias_is_the_same_task() -> None:
    one, other = make("libero_goal/1", cameras=()), make("libero_goal/put_the_bowl_on_the_stove", cameras=())
    assert one.spec == other.spec
    assert np.array_equal(one.reset(2).state, other.reset(2).state)


def test_the_instruction_is_that_of_the_file_name_or_of_language(tmp_path: Path) -> None:
    own = tmp_path / "my_task.bddl"
    own.write_text(TEXT)
    with pytest.warns(UserWarning, match=r"'my task', .*'put the bowl in the drawer'.*--instruction-source") as caught:
        spec = make(str(own), cameras=()).spec
    assert len(caught) == 1 and caught[0].filename == __file__
    assert (spec.instruction, spec.instruction_source) == ("my task", "filename")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make(str(own), cameras=(), instruction_source="filename").spec == spec
        env = make(str(own), cameras=(), instruction_source="language")
        assert make_from_spec(env.spec).spec == env.spec and make_from_spec(spec).spec == spec
        own.rename(tmp_path / "PUT_THE_BOWL_in_the_drawer.bddl")
        make(str(tmp_path / "PUT_THE_BOWL_in_the_drawer.bddl"), cameras=())
    assert env.spec.instruction == env.observe().instruction == "put the bowl in the drawer"
    assert [line.partition(":")[0] for line in spec.differences(env.spec)] == ["instruction", "instruction_source"]


def test_liberos_own_files_have_the_instruction_of_their_names(tmp_path: Path) -> None:
    task = find_task("libero_goal/open_the_middle_drawer_of_the_cabinet")
    assert task.instructions["language"] == "open the middle layer of the drawer" and task.instruction_note == ""
    copy = tmp_path / "open_the_middle_drawer_of_the_cabinet.bddl"
    copy.write_text(task.definition_text)
    assert find_task(str(copy)).instruction_note == ""
    copy.write_text(task.definition_text.replace("Open the middle layer", "Please open the middle layer"))
    assert "'please open the middle layer of the drawer'" in find_task(str(copy)).instruction_note


@pytest.mark.parametrize(("task", "source"), [("insertion", "language"), ("libero_goal/1", "file"), ("", "language")])
def test_sources_of_the_instruction_that_do_not_exist_are_refused(tmp_path: Path, task: str, source: str) -> None:
    own = tmp_path / "my_task.bddl"
    own.write_text(changed("(:language put the bowl in the drawer)", ""))
    with pytest.raises(UsageError) as error:
        make(task or str(own), cameras=(), instruction_source=source)
    assert error.value.facts["got"] == source


def test_episodes_start_from_stored_initial_states(tmp_path: Path) -> None:
    plain = make("libero_goal/1", cameras=())
    rows = goal_states(3, plain)
    rows[:, 42:] = [[0.0], [0.01], [0.02]]
    path = write_states(tmp_path / "goal.pruned_init", rows)
    env = make("libero_goal/1", cameras=(), init_states=path)
    for seed, row in ((0, 0), (1, 1), (5, 2), (100_000, 0), (100_001, 1), (100_004, 1)):
        env.reset(seed)
        assert np.array_equal(env.scene.data.qpos, rows[row, 1:42])
        assert np.all(env.scene.data.qvel == 0.01 * row)  # tells the rows apart
    plain.reset(100_004)
    assert np.array_equal(env.scene.data.mocap_pos, plain.scene.data.mocap_pos)
    assert env.spec.init_states == str(path)
    with pytest.raises(DatasetError) as misfit:
        make("libero_spatial/0", init_states=path)
    assert (misfit.value.facts["got"], misfit.value.facts["expected"]) == (79, 92)
    with pytest.raises(UsageError, match="insertion has no files of initial states"):
        make("insertion", init_states=path)
    insertion = make("insertion", cameras=())
    with pytest.raises(UsageError):
        insertion.task.reset_scene_to(insertion.scene, np.random.default_rng(0), "published", rows[0])


def test_the_burner_glows_while_the_stove_is_on() -> None:
    env = make("libero_goal/7", cameras=("birdview",), image_size=(96, 96))
    cold = env.reset(0).image("birdview").astype(int)
    env.scene.data.joint("flat_stove_1_button").qpos = 1.0
    env.scene.refresh()
    hot = env.observe().image("birdview").astype(int)
    redder = (hot[..., 0] - hot[..., 2]) - (cold[..., 0] - cold[..., 2])
    assert (redder > 60).sum() > 20
    assert np.array_equal(env.reset(0).image("birdview"), cold)  # and stops
    env.close()
