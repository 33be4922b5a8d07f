import json
from dataclasses import replace

import numpy as np
import pytest
from benchmarking_fakes import (
    FIRST,
    HOLD,
    HORIZON,
    DyingAgent,
    FakeAgent,
    LuckyAgent,
    NanAgent,
    assert_same_results,
    rows_of,
    run_into,
)

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.envs.env import make
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.intervals import wilson_interval


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Results of one worker in one go."""
    directory = tmp_path_factory.mktemp("straight") / "results"
    assert run_into(directory, workers=1).complete
    return directory


def test_every_episode_is_one_row_with_its_outcome(straight):
    rows = ResultsFolder(straight).rows
    assert [row.seed for row in rows] == [FIRST + i for i in range(5)]
    assert [row.outcome for row in rows] == ["failure", "success", "error", "failure", "success"]
    assert [row.checks for row in rows] == [{"lucky": False}, {"lucky": True}, {}, {"lucky": False}, {"lucky": True}]
    assert [row.steps for row in rows] == [HORIZON, 10, 0, HORIZON, 10]
    assert {(row.task, row.policy, row.execution) for row in rows} == {("insertion", "hold", "")}


def test_a_broken_episode_says_what_broke(straight):
    broken = ResultsFolder(straight).rows[2]
    assert broken.error == broken.reason == "RuntimeError: the gripper fell off"
    assert [row.error for row in ResultsFolder(straight).rows if row.outcome is not Outcome.ERROR] == [""] * 4


def test_an_action_that_is_no_number_is_an_error_of_that_episode_alone(tmp_path):
    run_into(tmp_path, agent=NanAgent)
    rows = ResultsFolder(tmp_path).rows
    assert [row.outcome for row in rows] == ["failure", "success", "error", "error", "success"]
    assert "not finite" in rows[3].error


def test_the_stored_states_are_those_of_the_episode(straight):
    env = make("insertion", cameras=())
    for row in ResultsFolder(straight).rows:
        episode = EpisodeStates.read(ResultsFolder(straight).states_path(row.task, row.seed))
        assert len(episode.states) == len(episode.stages) == row.steps + 1 == len(episode.actions) + 1
        state = env.reset(row.seed).state
        np.testing.assert_array_equal(episode.states[0], state)
        for action, after in zip(episode.actions, episode.states[1:], strict=True):
            np.testing.assert_array_equal(env.step(action).observation.state, after)


def test_the_first_state_has_a_fingerprint_of_its_own(straight):
    rows = ResultsFolder(straight).rows
    assert len({row.initial_state_sha256 for row in rows}) == len(rows)
    assert all(len(row.initial_state_sha256) == 64 for row in rows)


def test_a_row_survives_being_written(straight):
    for row in ResultsFolder(straight).rows:
        assert EpisodeRow.from_line(row.to_line()) == row
    with pytest.raises(DatasetError, match=r"results\.jsonl"):
        EpisodeRow.from_line('{"seed": 3}')


def test_the_summary_counts_errors_apart_and_as_not_successful(straight):
    summary = json.loads((straight / "summary.json").read_text())
    task = summary["tasks"]["insertion"]
    assert (task["n"], task["successes"], task["failures"], task["errors"]) == (5, 2, 2, 1)
    assert task["rate"] == 0.4 and task["interval"] == list(wilson_interval(2, 5))
    assert summary["complete"] and summary["suite"] is None and summary["policy"] == "hold"
    assert summary["timings"]["episodes"] == 5 and summary["timings"]["episodes_per_min"] > 0
    seconds = sum(row.wall_s for row in ResultsFolder(straight).rows)
    assert task["episodes_per_min_and_worker"] == pytest.approx(60 * 5 / seconds, abs=0.01)
    assert {"mujoco", "ambidex"} <= set(summary["versions"]) and summary["machine"]["usable_cores"] >= 1
    assert "--policy hold" in summary["command"] and "--workers" not in summary["command"]


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_workers_gives_the_same_results(straight, tmp_path, workers):
    run_into(tmp_path, workers=workers)
    assert_same_results(straight, tmp_path)


@pytest.mark.parametrize("kept", [0, 2, 4])
def test_resume_after_a_torn_row_gives_the_same_results(straight, tmp_path, kept):
    run_into(tmp_path)
    lines = (tmp_path / "results.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "results.jsonl").write_text("".join(lines[:kept]) + lines[kept][:30])
    ResultsFolder(tmp_path).states_path("insertion", FIRST + 4).unlink()
    (tmp_path / "states" / "insertion" / ".9.npz.tmp-123").write_text("half")
    assert run_into(tmp_path, resume=True).complete
    assert_same_results(straight, tmp_path)
    assert not list(tmp_path.rglob("*.tmp-*"))


def test_resume_runs_nothing_twice_and_keeps_the_pace(straight, tmp_path):
    first = run_into(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "states").rglob("*.npz")}
    again = run_into(tmp_path, resume=True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "states").rglob("*.npz")} == before
    assert again.timings.episodes == first.timings.episodes == 5


def test_results_can_be_extended(straight, tmp_path):
    run_into(tmp_path, episodes=2)
    run_into(tmp_path, resume=True)
    assert_same_results(straight, tmp_path)


def test_resume_of_nothing_begins(straight, tmp_path):
    run_into(tmp_path / "new", resume=True)
    assert_same_results(straight, tmp_path / "new")


def test_a_worker_that_dies_is_replaced_and_its_episode_run_again(straight, tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "1")
    run_into(tmp_path / "died", agent=DyingAgent, workers=2)
    assert (tmp_path / "marker").read_text() == "x"
    assert_same_results(straight, tmp_path / "died")


def test_an_episode_that_kills_its_workers_has_no_row_and_is_run_on_resume(straight, tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "2")
    summary = run_into(tmp_path / "died", agent=DyingAgent, workers=2)
    assert not summary.complete and len(summary.rows) == 4
    assert f"insertion, seed {FIRST + 3}" in summary.worker_errors[0] and "died" in summary.worker_errors[0]
    assert not json.loads((tmp_path / "died" / "summary.json").read_text())["complete"]
    assert run_into(tmp_path / "died", agent=DyingAgent, resume=True).complete
    assert_same_results(straight, tmp_path / "died")


def test_a_suite_has_all_its_tasks_and_a_rate_of_its_own(tmp_path):
    summary = run_into(tmp_path, task=None, suite="aloha", episodes=3, agent=FakeAgent)
    assert [(row["task"], row["seed"]) for row in rows_of(tmp_path)] == [
        (task, FIRST + i) for task in ("insertion", "transfer_cube") for i in range(3)
    ]
    written = json.loads((tmp_path / "summary.json").read_text())
    assert list(written["tasks"]) == ["transfer_cube", "insertion"]
    assert (written["suite"]["name"], written["suite"]["n"], written["suite"]["successes"]) == ("aloha", 6, 2)
    words = str(summary)
    assert all(name in words for name in ("transfer_cube", "insertion", "aloha", "2/6 = 33.3 % (95 % interval"))
    assert written["suite"]["episodes_per_min_and_worker"] > 0 and "ends when success has held" in words


def test_without_failures_no_video_is_missed(tmp_path):
    words = run_into(tmp_path, episodes=2, agent=LuckyAgent, video="failures").__str__()
    assert "There are no failures, so no videos." in words and "not in the page" not in words


def test_no_rate_stands_without_its_interval(straight):
    words = run_into(straight, resume=True).__str__()
    assert words.count("%") == 2 * words.count("(95 % interval") == 2
    assert "report.html" in words


@pytest.mark.parametrize("policy", ["hold", "random"])
def test_who_knows_nothing_solves_nothing(tmp_path, policy):
    summary = benchmark(replace(HOLD, policy=policy, output_dir=tmp_path, episodes=2))
    assert [row.outcome for row in summary.rows] == ["failure", "failure"]
    assert all(row.steps == 400 for row in summary.rows)
    moved = [EpisodeStates.read(ResultsFolder(tmp_path).states_path("insertion", FIRST + i)).actions for i in range(2)]
    assert (np.ptp(moved[0], axis=0) > 0).all() == (policy == "random")


def test_the_expert_solves_it_and_stops_there(tmp_path):
    summary = benchmark(replace(HOLD, policy="scripted", output_dir=tmp_path, episodes=2))
    assert summary.overall.successes == 2
    assert all(row.steps < 400 for row in summary.rows)
    assert [stage.count for stage in summary.tasks["insertion"].stages] == [2, 2, 2, 2]
