"""Which robot of a checkpoint acts, in which control mode, and the errors if none fits."""

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
def test_the_requested_control_mode_is_used(tmp_path, controls, control, actions):
    config = replace(SHORT, checkpoint=controls, control=control, output_dir=tmp_path / "results")
    summary = benchmark(config)
    spec = summary.info.env_specs["transfer_cube"]
    assert (spec.control, len(spec.action_names)) == (control, actions)
    assert summary.complete and summary.overall.errors == 0 and f"--control {control}" in summary.info.command
    with pytest.raises(UsageError, match=f"--control was {control}, now auto"):
        benchmark(replace(config, control=None, episodes=2, resume=True))


def test_one_of_several_control_modes_must_be_requested(tmp_path, controls):
    with pytest.raises(UsageError, match="--control joint") as raised:
        benchmark(replace(SHORT, checkpoint=controls, output_dir=tmp_path / "results"))
    assert (raised.value.facts["task"], raised.value.facts["expected"]) == ("transfer_cube", ["joint", "ee"])
    with pytest.raises(UsageError, match="--control joint"):
        main(CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("transfer_cube",), output=tmp_path / "grid.png"))
    assert list(tmp_path.iterdir()) == []


def test_a_code_grid_can_use_either_control_mode(tmp_path, controls):
    config = CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("transfer_cube",), seconds=0.1, frames=2, height=24)
    images = [tmp_path / f"{control}.png" for control in ("joint", "ee")]
    for image in images:
        main(replace(config, control=(image.stem,), output=image, quiet=True))
    assert images[0].read_bytes() != images[1].read_bytes()


def test_one_code_grid_can_show_a_robot_in_both_control_modes_and_another_robot(tmp_path, monkeypatch):
    checkpoint = write_two_controls(tmp_path / "run", "libero_goal/1")
    drawn, table = [], code_grid.image_table
    monkeypatch.setattr(code_grid, "image_table", lambda rows, columns: drawn.extend(columns) or table(rows, columns))
    config = CodeGridConfig(checkpoint=checkpoint, codes=(1,), seconds=0.1, frames=2, height=24, quiet=True)
    tasks = ("transfer_cube", "transfer_cube", "libero_goal/1")
    main(replace(config, tasks=tasks, control=("joint", "ee", "ee"), output=tmp_path / "grid.png"))
    robots = ["viperx_bimanual-joint", "viperx_bimanual-ee", "panda-ee"]
    assert [column.title.rpartition(", ")[2] for column in drawn] == robots


def test_an_unknown_control_mode_is_refused(tmp_path, robots):
    with pytest.raises(UsageError, match="--control ee") as raised:
        benchmark(replace(SHORT, checkpoint=robots, control="ee", output_dir=tmp_path / "results"))
    assert (raised.value.facts["got"], raised.value.facts["expected"]) == ("ee", ["joint"])
    assert list(tmp_path.iterdir()) == []


def test_the_error_on_an_unknown_robot_lists_the_known_ones(tmp_path, controls):
    config = replace(SHORT, checkpoint=controls, task="libero_goal/1", output_dir=tmp_path / "results")
    with pytest.raises(UsageError) as raised:
        benchmark(config)
    message = str(raised.value)
    assert message.startswith(
        f"The policy of {controls} cannot act in libero_goal/put_the_bowl_on_the_stove, whose robot is panda:"
    )
    assert "viperx_bimanual-joint (trained on transfer_cube) and viperx_bimanual-ee" in message
    assert (
        "Also different from viperx_bimanual-joint: control_hz: the policy has 50.0, the environment 20.0; act"
        in message
    )
    assert "left_waist" not in message and len(message) < 700


def test_the_error_of_a_code_grid_on_an_unknown_robot_names_the_checkpoint(tmp_path, controls):
    config = CodeGridConfig(checkpoint=controls, codes=(1,), tasks=("libero_goal/1",), output=tmp_path / "grid.png")
    with pytest.raises(UsageError, match=f"The policy of {controls} cannot act in libero_goal/put"):
        main(config)


def test_a_known_robot_that_is_not_selected_is_not_called_unknown(robots):
    policy = load(robots)
    select_robot(policy, "transfer_cube")
    with pytest.raises(UsageError, match="one robot at a time"):
        compatible_spec("libero_goal/1", policy, TaskSettings())
    select_robot(policy, "libero_goal/1")
    assert compatible_spec("libero_goal/1", policy, TaskSettings()).robot == "panda"
