"""Results of robots are watched, compared and exported like those of simulations, and are told apart from them."""

import json

import pytest
from robot_fakes import CONFIG, FIRST, SPEC, JudgingArm, Robots, operator, run

from ambidex.benchmarks.compare_policies import main as compare_policies
from ambidex.benchmarks.evaluate_robot import main as evaluate_robot
from ambidex.benchmarks.export_results import main as export_results
from ambidex.benchmarks.gallery.results import read_results
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.run_benchmark import main as run_benchmark
from ambidex.benchmarks.verify_results import main as verify_results
from ambidex.benchmarks.videos.jobs import VideoStyle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two rollouts with videos, a success and a failure with a note."""
    path = tmp_path_factory.mktemp("robot") / "first"
    answers = operator("g", "s", "", "g", "f", "1", "slipped", "")
    run(path, Robots(), answers, rollouts=2, video="all", unseen=("object",))
    return path


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("robot") / "second"
    run(path, Robots(JudgingArm), operator("g", "f", "0", "", "g", "f", "0", "", ""), rollouts=2, policy="hold")
    return path


def test_the_page_has_videos_labels_and_notes_of_rollouts(folder):
    (styled,) = read_runs([folder], VideoStyle(cameras=("front",), image_size=(48, 64)))
    for gallery in (read_results(ResultsFolder(folder)), styled):
        first, second = gallery.episodes
        assert first.has_video and second.has_video and first.states is None
        assert dict(second.facts) == {
            "steps": "4",
            "took": dict(second.facts)["took"],
            "unseen": "object",
            "note": "slipped",
        }
        assert first.command.startswith("evaluate-robot ")
        assert dict(gallery.facts)["robot"] == "robot_fakes:Robots" and gallery.requested == 2


def test_an_unfinished_evaluation_says_how_to_resume(folder, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Robots(), operator("g", "s", "", "q"))
    warning = ResultsFolder(tmp_path).warning
    assert "1 of 3 episodes" in warning
    assert "evaluate-robot --policy robot_fakes:keep_pose --robot robot_fakes:FakeArm" in warning
    assert f"--resume --output-dir {tmp_path}" in warning


def test_comparisons_say_that_seeds_only_number_rollouts(folder, other, run_command):
    status, out, _ = run_command(compare_policies, folder, other)
    assert status == 0 and "2 episodes with the same seeds" in out and "Rollouts on a robot: A and B" in out


def test_tables_say_who_judged(folder, run_command):
    status, out, _ = run_command(export_results, folder)
    assert status == 0 and "the verdict of ask on a robot" in out and "50.0" in out


def test_rollouts_are_not_played_back(folder, run_command):
    status, _, err = run_command(verify_results, folder)
    assert status == 2 and "robot" in err


def test_run_benchmark_does_not_resume_an_evaluation_on_a_robot(folder, run_command):
    assert run_command(run_benchmark, "--resume", "--output-dir", folder)[0] == 2


def test_the_command_prints_the_table(tmp_path, run_command):
    flags = ["--robot", "robot_fakes:JudgingArm", "--policy", "robot_fakes:keep_pose", "--task", SPEC.task]
    flags += ["--rollouts", 2, "--verdicts", "robot", "--video", "none", "--output-dir", tmp_path]
    status, out, err = run_command(evaluate_robot, *flags)
    assert status == 0 and "1/2" in out and f"Rollout {FIRST}: success, 2 steps" in err
    assert json.loads((tmp_path / "benchmark.json").read_text())["verdicts"] == "robot"


@pytest.mark.parametrize("debug", [False, True])
def test_debug_prints_where_a_policy_failed_and_the_row_has_it(tmp_path, run_command, debug):
    flags = ["--robot", "robot_fakes:JudgingArm", "--policy", "robot_fakes:boom", "--task", SPEC.task]
    flags += ["--rollouts", 1, "--verdicts", "robot", "--video", "none", "--output-dir", tmp_path]
    _, _, err = run_command(evaluate_robot, *flags, *["--debug"] * debug)
    (row,) = ResultsFolder(tmp_path).rows
    assert row.reason == "ValueError: bad policy" and row.error.startswith(f"{row.reason}\nTraceback ")
    assert 'raise ValueError("bad policy")' in row.error and ('raise ValueError("bad policy")' in err) is debug
    assert "1 of 1 rollout ended with an error" in err


def test_the_row_has_where_a_robot_failed(tmp_path):
    run(tmp_path, Robots(faults={"observe": lambda arm: arm.missing}), operator("g", ""), rollouts=1)
    (row,) = ResultsFolder(tmp_path).rows
    assert "arm.missing" in row.error and row.reason.startswith("RobotError: The robot raised AttributeError")


def test_without_a_terminal_the_command_exits_with_2(tmp_path, run_command):
    flags = ["--robot", CONFIG.robot, "--policy", "hold", "--task", SPEC.task, "--output-dir", tmp_path]
    status, _, err = run_command(evaluate_robot, *flags)
    assert status == 2 and "--verdicts FILE" in err
