"""Which robot of a checkpoint acts, in which control mode, and what is said if none fits."""

from dataclasses import replace

import pytest
from benchmarking_fakes import HOLD
from two_robots import write_two_controls, write_two_robots

from ambidex.benchmarks.codes import code_grid
from ambidex.benchmarks.codes.code_grid import CodeGridConfig, main
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.policy_loading import compatible_spec, select_robot
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.errors import UsageError
from ambidex.policies.checkpoint import load

SHORT = replace(HOLD, policy="uniact", task="transfer_cube", horizon=8, episodes=1, device="cpu")


@pytest.fixture(scope="module")
def controls(tmp_path_factory):
    """A checkpoint that knows one robot in two control modes."""
    return write_two_controls(tmp_path_factory.mktemp("controls"))


@pytest.fixture(scope="module")
def robots(tmp_path_factory):
    """A checkpoint that knows two robots, each in one control mode."""
    return write_two_robots(tmp_path_factory.mktemp("robots"))


@pytest.mark.parametrize(("control", "actions"), [("joint", 14), ("ee", 16)])
def test_the_control_mode_that_is_asked_for_acts(tmp_path, controls, control, actions):
    config = replace(SHORT, checkpoint=controls, control=control, output_dir=tmp_path / "results")
    summary = benchmark(config)
    spec = summary.info.env_specs["transfer_cube"]
    assert (spec.control, len(spec.action_names)) == (control, actions)
    assert summary.complete and summary.overall.errors == 0 and f"--control {control}" in summary.info.command
    with pytest.raises(UsageError, match=f"--control was {control}, now auto"):
        benchmark(replace(config, control=None, episodes=2, resume=True))


def test_of_several_control_modes_none_is_taken_unasked(tmp_path, controls):
    says = "viperx_bimanual, the robot of transfer_cube, in 2 control modes: joint, ee. Choose one with --control, e.g."
    with pytest.raises(UsageError, match=says):
        benchmark(replace(SHORT, checkpoint=controls, output_dir=tmp_path / "results"))
    with pytest.raises(UsageError, match=says):
        main(CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("transfer_cube",), output=tmp_path / "grid.png"))
    assert list(tmp_path.iterdir()) == []


def test_codes_of_both_control_modes_can_be_drawn(tmp_path, controls):
    config = CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("transfer_cube",), seconds=0.1, frames=2, height=24)
    pictures = [tmp_path / f"{control}.png" for control in ("joint", "ee")]
    for picture in pictures:
        main(replace(config, control=(picture.stem,), output=picture, quiet=True))
    assert pictures[0].read_bytes() != pictures[1].read_bytes()


def test_one_picture_shows_a_robot_in_both_control_modes_and_another_robot(tmp_path, monkeypatch):
    checkpoint = write_two_controls(tmp_path / "run", "libero_goal/1")
    drawn, table = [], code_grid.image_table
    monkeypatch.setattr(code_grid, "image_table", lambda rows, columns: drawn.extend(columns) or table(rows, columns))
    config = CodeGridConfig(checkpoint=checkpoint, codes=(1,), seconds=0.1, frames=2, height=24, quiet=True)
    tasks = ("transfer_cube", "transfer_cube", "libero_goal/1")
    main(replace(config, tasks=tasks, control=("joint", "ee", "ee"), output=tmp_path / "grid.png"))
    robots = ["viperx_bimanual-joint", "viperx_bimanual-ee", "panda-ee"]
    assert [column.title.rpartition(", ")[2] for column in drawn] == robots


def test_a_control_mode_that_it_does_not_know_is_refused(tmp_path, robots):
    with pytest.raises(UsageError, match=r"--control ee: the policy knows viperx_bimanual.*only in joint"):
        benchmark(replace(SHORT, checkpoint=robots, control="ee", output_dir=tmp_path / "results"))
    assert list(tmp_path.iterdir()) == []


def test_a_robot_that_no_checkpoint_of_a_run_knows_is_told_with_those_it_knows(tmp_path, controls):
    config = replace(SHORT, checkpoint=controls, task="libero_goal/1", output_dir=tmp_path / "results")
    with pytest.raises(UsageError) as caught:
        benchmark(config)
    said = str(caught.value)
    assert said.startswith(
        f"The policy of {controls} cannot act in libero_goal/put_the_bowl_on_the_stove, whose robot is panda:"
    )
    assert "viperx_bimanual-joint (trained on transfer_cube) and viperx_bimanual-ee" in said
    assert (
        "Also different from viperx_bimanual-joint: control_hz: the policy has 50.0, the environment 20.0; act" in said
    )
    assert "left_waist" not in said and len(said) < 700


def test_codes_of_an_unknown_robot_name_the_checkpoint(tmp_path, controls):
    config = CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("libero_goal/1",), output=tmp_path / "grid.png")
    with pytest.raises(UsageError, match=f"The policy of {controls} cannot act in libero_goal/put"):
        main(config)


def test_a_robot_that_is_not_the_one_in_use_is_no_unknown_one(robots):
    policy = load(robots)
    select_robot(policy, "transfer_cube")
    with pytest.raises(UsageError, match="one of its robots at a time, now another; give the tasks of each a run"):
        compatible_spec("libero_goal/1", policy, TaskSettings())
    select_robot(policy, "libero_goal/1")
    assert compatible_spec("libero_goal/1", policy, TaskSettings()).robot == "panda"
