"""Rollouts, verdicts and errors become rows, and an evaluation can be interrupted, corrected and resumed."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
from robot_fakes import CONFIG, FIRST, HANG_S, SPEC, JudgingArm, Robots, hangs, operator, raises, run

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robot import connection
from ambidex.benchmarks.robot.connection import StopFailedError
from ambidex.benchmarks.robot.evaluation import evaluate
from ambidex.benchmarks.robot.protocol import SafetyLimits
from ambidex.benchmarks.robot.rollout import SimulatedClock
from ambidex.benchmarks.robot.safety import RobotError
from ambidex.benchmarks.robot.verdicts import FileVerdicts
from ambidex.errors import AmbidexError, DatasetError, UnknownNameError, UsageError


def rows_of(folder):
    return {row.seed - FIRST: row for row in ResultsFolder(folder).rows}


def outcomes(folder):
    return {index: str(row.outcome) for index, row in rows_of(folder).items()}


def run_judged(folder, robots, **changes):
    config = replace(CONFIG, output_dir=folder, verdicts="robot", **changes)
    return evaluate(config, factory=robots, clock=SimulatedClock)


def test_the_operator_is_asked_after_each_rollout(tmp_path):
    robots = Robots()
    answers = ["g", "s", "cleanly", "g", "f", "1", "dropped the cup", "g", "f", "grasped", "", ""]
    summary = run(tmp_path, robots, operator(*answers))
    rows = rows_of(tmp_path)
    assert outcomes(tmp_path) == {0: "success", 1: "failure", 2: "failure"}
    assert [(row.stage_name, row.note, row.steps) for row in rows.values()] == [
        ("stacked", "cleanly", 4),
        ("grasped", "dropped the cup", 4),
        ("grasped", "", 4),
    ]
    assert {row.task for row in rows.values()} == {"stack the cups"} and summary.complete
    (arm,) = robots.made
    assert arm.calls.count("home") == 3 and arm.calls[-1] == "close"
    assert summary.tasks["stack the cups"].successes == 1
    assert [stage.count for stage in summary.tasks["stack the cups"].stages] == [3, 1]
    assert "operator" in str(summary) and (tmp_path / "report.html").is_file()


def test_answers_that_are_none_are_asked_again(tmp_path):
    run(tmp_path, Robots(), operator("what", "", "g", "maybe", "", "f", "7", "x", "2", "", "x", ""), rollouts=1)
    assert rows_of(tmp_path)[0].stage_name == "stacked" and outcomes(tmp_path) == {0: "failure"}


def test_a_wrong_answer_is_said_to_be_none(tmp_path, capsys):
    stages = ("1 of 2 goals", "2 of 2 goals")
    run(tmp_path, Robots(), operator("what", "", "g", "maybe", "f", "7", "2", "", "x", ""), rollouts=1, stages=stages)
    shown = capsys.readouterr().err
    for answer in ("what", "Enter", "maybe", "7", "x"):
        assert f"{answer} is none of the answers in brackets.\n" in shown
    assert "[0: none, 1: 1 of 2 goals, 2: 2 of 2 goals; Enter for 0]" in shown
    assert "All rollouts are done. [Enter finish, u take back the last verdict]" in shown


def test_rollouts_that_are_run_again_count_once(tmp_path):
    summary = run(tmp_path, Robots(), operator("g", "r", "g", "s", "", "g", "s", "", ""), rollouts=2)
    assert "\n2 rollouts run in " in str(summary)


def test_an_observation_that_is_none_is_said_to_come_from_observe(tmp_path):
    run(tmp_path, Robots(faults={"observe": lambda arm: None}), operator("g", ""), rollouts=1)
    assert "observe of the robot returned None" in rows_of(tmp_path)[0].error


def test_the_last_line_of_a_seed_counts_in_a_file_of_verdicts(tmp_path):
    file = tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps({"seed": FIRST, "success": success}) + "\n" for success in (True, False)))
    run(tmp_path / "results", Robots(), FileVerdicts(file), rollouts=1, verdicts=str(file))
    assert outcomes(tmp_path / "results") == {0: "failure"}


def test_u_takes_the_last_verdict_back(tmp_path):
    robots = Robots()
    answers = ["g", "s", "", "g", "u", "f", "1", "not at all", "s", "", "g", "s", "", "u", "f", "", "", ""]
    run(tmp_path, robots, operator(*answers))
    assert outcomes(tmp_path) == {0: "failure", 1: "success", 2: "failure"}
    assert rows_of(tmp_path)[0].note == "not at all" and robots.made[0].calls.count("home") == 3


def test_u_before_a_rollout_and_twice_goes_further_back(tmp_path):
    answers = ["g", "s", "", "g", "s", "", "u", "u", "f", "", "", "f", "1", "", "g", "s", "", ""]
    run(tmp_path, Robots(), operator(*answers))
    assert outcomes(tmp_path) == {0: "failure", 1: "failure", 2: "success"}
    assert [row.stage for row in rows_of(tmp_path).values()] == [0, 1, 2]


def test_r_runs_a_rollout_again(tmp_path):
    robots = Robots()
    run(tmp_path, robots, operator("g", "r", "g", "s", "", "u", "r", "g", "f", "", "", ""), rollouts=1)
    assert outcomes(tmp_path) == {0: "failure"} and robots.made[0].calls.count("home") == 3


def test_there_is_nothing_to_take_back_at_first(tmp_path):
    run(tmp_path, Robots(), operator("u", "g", "u", "s", "", ""), rollouts=1)
    assert outcomes(tmp_path) == {0: "success"}


@pytest.mark.parametrize("answers", [["g", "s", "", "q"], ["g", "s", "", "g", "q"], ["g", "s", ""]])
def test_an_evaluation_that_ends_early_keeps_what_is_judged_and_is_resumed(tmp_path, answers):
    with pytest.raises(KeyboardInterrupt, match=r"1 of 3 rollouts are stored.*--resume"):
        run(tmp_path, Robots(), operator(*answers))
    assert json.loads((tmp_path / "summary.json").read_text())["complete"] is False
    robots = Robots()
    run(tmp_path, robots, operator("g", "f", "", "", "g", "s", "", ""), resume=True)
    assert outcomes(tmp_path) == {0: "success", 1: "failure", 2: "success"}
    assert robots.made[0].calls.count("home") == 2


def test_a_verdict_of_an_earlier_session_can_be_taken_back(tmp_path):
    run(tmp_path, Robots(), operator("g", "s", "", ""), rollouts=1)
    run(tmp_path, Robots(), operator("u", "f", "", "", "g", "s", "", ""), rollouts=2, resume=True)
    assert outcomes(tmp_path) == {0: "failure", 1: "success"}


def test_the_last_verdict_of_an_earlier_session_is_the_latest_not_that_of_the_highest_number(tmp_path):
    answers = ["g", "s", "", "g", "s", "", "u", "u", "r", "s", "", "g", "f", "", "", "q"]
    for each in (answers, ["u", "s", "", "q"]):
        with pytest.raises(KeyboardInterrupt, match="2 of 3"):
            run(tmp_path, Robots(), operator(*each), resume=each is not answers)
    assert outcomes(tmp_path) == {0: "success", 1: "success"}


def test_ctrl_c_in_a_rollout_stops_the_arm_and_keeps_what_is_done(tmp_path):
    def interrupted(arm):
        raise KeyboardInterrupt

    robots = Robots()
    keyboard = replace(
        operator("g", "s", "", "g"), waiting=lambda: robots.made[0].seed == FIRST + 1 and interrupted(None)
    )
    with pytest.raises(KeyboardInterrupt, match="1 of 3"):
        run(tmp_path, robots, keyboard)
    assert outcomes(tmp_path) == {0: "success"} and robots.made[0].calls[-2:] == ["stop", "close"]


@pytest.mark.parametrize("method", ["home", "observe", "act"])
def test_a_robot_that_fails_is_an_error_row_and_is_connected_again(tmp_path, method):
    robots = Robots(JudgingArm, faults={(method, FIRST + 1): raises})
    summary = run_judged(tmp_path, robots)
    assert outcomes(tmp_path) == {0: "success", 1: "error", 2: "success"}
    assert f"({method})" in rows_of(tmp_path)[1].error and summary.complete
    broken, healthy = robots.made
    assert broken.calls[-2:] == ["stop", "close"] and not broken.moving and healthy.calls[0] == "home"


class SharedController:
    """Arms that have one controller, which moves as long as it is enabled; the call of one that hangs comes late."""

    def __init__(self):
        self.enabled, self.late_moves = False, 0

    def factory(self, robots):
        def connect(request):
            arm = robots(request)
            arm.controller = self
            return arm

        return connect


class SharedArm(JudgingArm):
    def home(self, seed):
        self.controller.enabled = True
        super().home(seed)

    def act(self, action):
        super().act(action)
        if self.released.is_set():
            self.controller.late_moves += self.controller.enabled

    def stop(self):
        self.controller.enabled = False
        super().stop()


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(connection, "SLOW_CALLS", 1.0)
    monkeypatch.setattr(connection, "STOP_WAIT_S", 0.05)


@pytest.mark.usefixtures("_impatient")
def test_while_a_call_hangs_the_robot_is_not_connected_again_and_its_late_command_moves_nothing(tmp_path):
    controller, robots = SharedController(), Robots(SharedArm, faults={("act", FIRST + 1): hangs})

    def answer():
        if rows_of(tmp_path).keys() >= {2} and not robots.made[0].released.is_set():
            robots.made[0].released.set()
        return next(answers, "")

    answers = iter(["g\n", "s\n", "\n", "g\n", "g\n", "g\n", "s\n", "\n", "\n"])
    keyboard = replace(operator(), read=answer)
    factory = controller.factory(robots)
    run(tmp_path, factory, keyboard, rollouts=4, call_timeout=HANG_S)
    assert outcomes(tmp_path) == {0: "success", 1: "error", 2: "error", 3: "success"}
    assert "(act)" in rows_of(tmp_path)[1].error and "has not returned" in rows_of(tmp_path)[2].error
    late, healthy = robots.made
    assert controller.late_moves == 0 and late.calls[-3:] == ["stop", "stop", "close"]
    assert healthy.calls[-2:] == ["stop", "close"]


@pytest.mark.usefixtures("_impatient")
def test_a_robot_that_never_answers_again_ends_an_evaluation_without_an_operator(tmp_path):
    robots = Robots(JudgingArm, faults={("act", FIRST): hangs})
    with pytest.raises(AmbidexError, match="has not returned"):
        run_judged(tmp_path, robots, rollouts=9, call_timeout=HANG_S)
    assert outcomes(tmp_path) == {0: "error", 1: "error", 2: "error"} and len(robots.made) == 1
    robots.made[0].released.set()


def test_only_errors_one_after_the_other_end_an_evaluation(tmp_path):
    faults = {("act", FIRST + index): raises for index in (0, 1, 3, 4)}
    run_judged(tmp_path, Robots(JudgingArm, faults=faults), rollouts=5)
    assert list(outcomes(tmp_path).values()) == ["error", "error", "success", "error", "error"]


def test_the_robot_can_judge_and_ends_its_rollouts(tmp_path):
    run_judged(tmp_path, Robots(JudgingArm))
    rows = rows_of(tmp_path)
    assert outcomes(tmp_path) == {0: "success", 1: "failure", 2: "success"}
    assert [row.steps for row in rows.values()] == [2, 2, 2] and rows[0].checks == {"stacked": True}


def test_a_robot_that_cannot_judge_is_refused_before_it_moves(tmp_path):
    robots = Robots()
    with pytest.raises(UsageError, match="--verdicts"):
        run_judged(tmp_path / "new", robots)
    assert robots.made[0].calls == ["close"] and not (tmp_path / "new" / "results.jsonl").exists()


def test_a_violation_of_a_limit_is_an_error_row(tmp_path):
    robots = Robots(JudgingArm, limits=SafetyLimits(high=(0, 0, 0)), faults={("observe", FIRST + 1): off_centre})
    run_judged(tmp_path, robots)
    assert outcomes(tmp_path) == {0: "success", 1: "error", 2: "success"}
    assert "SafetyError" in rows_of(tmp_path)[1].error and "limit 0" in rows_of(tmp_path)[1].error
    (arm,) = robots.made  # it is not at fault, so it stays connected
    start, end = (index for index, call in enumerate(arm.calls) if call == "home" and index)
    assert rows_of(tmp_path)[1].steps == 0 and arm.calls[start:end] == ["home", "observe", "observe", "stop"]


def off_centre(arm):
    return arm.measured(qpos=np.array([0, 0.1, 0]))


def test_a_robot_that_cannot_be_connected_again_is_an_error_row(tmp_path):
    class Unplugged(Robots):
        def __call__(self, request):
            if len(self.made) == 1:
                self.made.append(None)
                raise OSError("no route to host")
            return super().__call__(request)

    run_judged(tmp_path, Unplugged(JudgingArm, faults={("act", FIRST): raises}), rollouts=4)
    assert outcomes(tmp_path) == {0: "error", 1: "error", 2: "success", 3: "failure"}
    assert "no route to host" in rows_of(tmp_path)[1].error


def test_a_robot_that_comes_back_as_another_is_an_error_row(tmp_path):
    class Changed(Robots):
        def __call__(self, request):
            arm = super().__call__(request)
            arm.spec = replace(SPEC, control_hz=50.0 if len(self.made) == 1 else 20.0)
            return arm

    run_judged(tmp_path, Changed(JudgingArm, faults={("act", FIRST): raises}), rollouts=2)
    assert outcomes(tmp_path) == {0: "error", 1: "error"} and "control_hz" in rows_of(tmp_path)[1].error


def test_three_errors_one_after_the_other_end_an_evaluation_without_an_operator(tmp_path):
    robots = Robots(JudgingArm, faults={"act": raises})
    with pytest.raises(AmbidexError, match="unplugged"):
        run_judged(tmp_path, robots, rollouts=9)
    assert outcomes(tmp_path) == {0: "error", 1: "error", 2: "error"}
    assert run_judged(tmp_path, Robots(JudgingArm), rollouts=9, resume=True).overall.errors == 3


def test_an_operator_runs_a_rollout_again_that_ended_with_an_error(tmp_path):
    robots = Robots(faults={("act", FIRST): raises})
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, robots, operator("g", "q"))
    assert outcomes(tmp_path) == {0: "error"}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Robots(), operator("u", "g", "s", "", "q"), resume=True)
    assert outcomes(tmp_path) == {0: "success"}


def test_an_arm_that_cannot_be_stopped_ends_the_evaluation_with_an_error_row(tmp_path):
    with pytest.raises(StopFailedError):
        run(tmp_path, Robots(faults={"stop": raises}), operator("g"))
    assert outcomes(tmp_path) == {0: "error"} and "ARM" in rows_of(tmp_path)[0].error


def test_a_robot_that_cannot_be_connected_at_first_leaves_no_folder(tmp_path):
    with pytest.raises(RobotError, match="unplugged"):
        run(tmp_path / "new", lambda request: raises(None), operator())
    assert not (tmp_path / "new").exists()


def test_rollouts_have_what_was_unseen_and_the_summary_a_rate_for_each(tmp_path):
    run(tmp_path, Robots(), operator("g", "s", "", ""), rollouts=1)
    changes = {"unseen": ("object", "distractor"), "instruction": "pile up the cups", "resume": True}
    summary = run(tmp_path, Robots(), operator("g", "s", "", "g", "f", "", "", ""), **changes)
    rows = rows_of(tmp_path)
    assert [row.unseen for row in rows.values()] == [(), *[("object", "distractor")] * 2]
    assert [row.instruction for row in rows.values()] == ["", *["pile up the cups"] * 2]
    unseen = json.loads((tmp_path / "summary.json").read_text())["unseen"]
    assert {label: (tally["successes"], tally["n"]) for label, tally in unseen.items()} == {
        "nothing": (1, 1),
        "object": (1, 2),
        "distractor": (1, 2),
    }
    assert "Unseen object: 1/2" in str(summary) and "Unseen nothing: 1/1" in str(summary)


def test_what_was_unseen_in_every_rollout_has_no_rate_without_it(tmp_path):
    summary = run(tmp_path, Robots(), operator("g", "s", "", ""), rollouts=1, unseen=("object",))
    assert "Unseen object: 1/1" in str(summary) and "Unseen nothing" not in str(summary)


def test_late_commands_are_in_the_row_and_the_summary(tmp_path):
    class LateClock(SimulatedClock):
        def sent(self):
            self.late += 1

    config = replace(CONFIG, output_dir=tmp_path, rollouts=1)
    summary = evaluate(config, factory=Robots(), verdicts=operator("g", "s", "", ""), clock=LateClock)
    assert rows_of(tmp_path)[0].late_steps == 4
    assert "4 of 4 commands, in 1 rollout, came late" in str(summary)


def test_stages_and_horizon_of_the_flags_replace_those_of_the_robot(tmp_path):
    answers = operator("g", "f", "held", "", "")
    run(tmp_path, Robots(), answers, rollouts=1, stages=("touched", "held", "hung up"), horizon=2)
    row = rows_of(tmp_path)[0]
    assert (row.stage, row.stage_name, row.steps) == (2, "held", 2)


def test_a_policy_that_needs_a_smaller_step_is_stopped(tmp_path):
    summary = run(tmp_path, Robots(), operator("g", ""), policy="robot_fakes:jump", rollouts=1)
    assert outcomes(tmp_path) == {0: "error"} and summary.hopeless


def test_flags_of_an_earlier_session_must_be_the_same(tmp_path):
    run(tmp_path, Robots(), operator("g", "s", "", ""), rollouts=1)
    for changes in ({"horizon": 3}, {"policy": "hold"}, {"verdicts": "robot"}, {"seed": FIRST + 1}):
        with pytest.raises(UsageError, match="--resume"):
            run(tmp_path, Robots(), operator(), resume=True, rollouts=2, **changes)
    with pytest.raises(UsageError, match="not empty"):
        run(tmp_path, Robots(), operator())


@pytest.mark.parametrize(
    "changes",
    [
        {"task": None},
        {"policy": ""},
        {"policy": "scripted"},
        {"policy": "act"},
        {"rollouts": 0},
        {"seed": 5},
        {"call_timeout": 0.0},
        {"unseen": ("colour",)},
        {"video": "some"},
        {"policy": "hold", "execution": "first"},
        {"task": "a" * 300},
        {"video": "all", "video_cameras": ("top",)},
    ],
)
def test_impossible_flags_are_refused_before_the_arm_moves(tmp_path, changes):
    robots = Robots()
    with pytest.raises(UsageError):
        run(tmp_path, robots, operator(), **changes)
    assert "home" not in [call for arm in robots.made for call in arm.calls]


def test_without_a_terminal_another_source_of_verdicts_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--verdicts"):
        evaluate(replace(CONFIG, output_dir=tmp_path), factory=Robots())


def test_verdicts_come_from_a_file_as_soon_as_they_are_there(tmp_path):
    file, lines = (
        tmp_path / "verdicts.jsonl",
        [{"success": True}, {"success": False, "stage": "grasped", "note": "slid"}],
    )

    def write(seconds):
        line = {"seed": FIRST + len(written), **lines[len(written)]}
        written.append(line)
        file.write_text("".join(json.dumps(each) + "\n" for each in written))

    written = []
    run(tmp_path / "results", Robots(), FileVerdicts(file, sleep=write), rollouts=2, verdicts=str(file))
    rows = rows_of(tmp_path / "results")
    assert [(str(row.outcome), row.stage_name, row.note) for row in rows.values()] == [
        ("success", "stacked", ""),
        ("failure", "grasped", "slid"),
    ]
    assert len(written) == 2


def test_a_wrong_line_of_a_file_of_verdicts_can_be_corrected(tmp_path, capsys):
    file, said = tmp_path / "verdicts.jsonl", {"seed": FIRST, "success": True, "stage": "flown"}

    def correct(seconds):
        file.write_text(json.dumps(said | {"stage": "stacked"}) + "\n")

    file.write_text(json.dumps(said) + "\n")
    run(tmp_path / "results", Robots(), FileVerdicts(file, sleep=correct), rollouts=1, verdicts=str(file))
    assert outcomes(tmp_path / "results") == {0: "success"} and "flown" in capsys.readouterr().err


def test_a_damaged_file_of_verdicts_is_an_error_before_the_arm_moves(tmp_path):
    file, robots = tmp_path / "verdicts.jsonl", Robots()
    file.write_text('{"seed": 100000}\n')
    with pytest.raises(DatasetError):
        run(tmp_path / "results", robots, FileVerdicts(file), verdicts=str(file))
    assert "home" not in robots.made[0].calls


def test_videos_are_of_the_robots_camera_and_follow_the_verdict(tmp_path):
    robots = Robots()
    run(tmp_path, robots, operator("g", "s", "", "g", "u", "f", "", "", "s", "", ""), rollouts=2, video="all")
    names = sorted(file.name for file in (tmp_path / "videos" / SPEC.task).iterdir())
    assert names == ["100000_failure.mp4", "100001_success.mp4"]


def test_videos_of_failures_alone_are_kept_if_these_were_asked_for(tmp_path):
    run(tmp_path, Robots(), operator("g", "s", "", "g", "f", "", "", ""), rollouts=2, video="failures")
    assert [file.name for file in (tmp_path / "videos" / SPEC.task).iterdir()] == ["100001_failure.mp4"]


def test_names_of_layouts_are_checked(tmp_path):
    with pytest.raises(UnknownNameError):
        run(tmp_path, Robots(), operator(), policy="remote", url="ws://127.0.0.1:9", layout="nothing")


def test_the_robot_of_the_documentation_is_complete(tmp_path, monkeypatch):
    """With software of its maker that does nothing."""
    state = SimpleNamespace(q=np.array([0, -1.2, 1.0, 0, 0.3, 0, 1]), dq=np.zeros(7), tool=np.array([0.3, 0, 0.2, 0]))
    arm = MagicMock(read=lambda: state)
    camera = MagicMock(latest_rgb=lambda: np.zeros((240, 320, 3), np.uint8))
    monkeypatch.setitem(sys.modules, "arm_vendor", MagicMock(connect=lambda address: arm, Camera=lambda *given: camera))
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "docs")
    robot = "bench_arm:BenchArm"
    config = replace(
        CONFIG, output_dir=tmp_path, robot=robot, task="stack the cups", rollouts=1, horizon=3, video="all"
    )
    summary = evaluate(config, verdicts=operator("g", "s", "", ""), clock=SimulatedClock)
    assert (summary.overall.successes, summary.rows[0].steps, summary.rows[0].error) == (1, 3, "")
    assert arm.hold.call_count == 1 and arm.disconnect.call_count == 1 and arm.send_position.call_count == 3
    state.tool[2] = 0.005  # below the workspace
    with pytest.raises(KeyboardInterrupt):
        evaluate(replace(config, rollouts=2, resume=True), verdicts=operator("g"), clock=SimulatedClock)
    assert "workspace" in rows_of(tmp_path)[1].error and arm.hold.call_count == 2
