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
from failing_reset import fail_reset

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.gallery.report import why_absent
from ambidex.benchmarks.gallery.sources import read_run
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.make import make_videos
from ambidex.envs.env import make
from ambidex.envs.types import Outcome
from ambidex.errors import AmbidexError, DatasetError
from ambidex.intervals import exact_interval, wilson_interval


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Results of an uninterrupted run with one worker."""
    directory = tmp_path_factory.mktemp("uninterrupted") / "results"
    assert run_into(directory, workers=1).complete
    return directory


def test_every_episode_is_one_row_with_its_outcome(uninterrupted):
    rows = ResultsFolder(uninterrupted).rows
    assert [row.seed for row in rows] == [FIRST + i for i in range(5)]
    assert [row.outcome for row in rows] == ["failure", "success", "error", "failure", "success"]
    assert [row.checks for row in rows] == [{"lucky": False}, {"lucky": True}, {}, {"lucky": False}, {"lucky": True}]
    assert [row.steps for row in rows] == [HORIZON, 10, 0, HORIZON, 10]
    assert {(row.task, row.policy, row.execution) for row in rows} == {("insertion", "hold", "")}


def test_the_row_of_an_error_has_the_error(uninterrupted):
    row = ResultsFolder(uninterrupted).rows[2]
    assert row.reason == "RuntimeError: the gripper fell off"
    assert row.error.startswith(f"{row.reason}\nTraceback ") and 'raise RuntimeError("the gripper' in row.error
    assert [other.error for other in ResultsFolder(uninterrupted).rows if other.outcome is not Outcome.ERROR] == [
        ""
    ] * 4


def test_an_action_that_is_not_finite_is_an_error_of_that_episode_alone(tmp_path):
    run_into(tmp_path, agent=NanAgent)
    rows = ResultsFolder(tmp_path).rows
    assert [row.outcome for row in rows] == ["failure", "success", "error", "error", "success"]
    assert "not finite" in rows[3].error


def test_stored_actions_reproduce_the_stored_states(uninterrupted):
    env = make("insertion", cameras=())
    for row in ResultsFolder(uninterrupted).rows:
        episode = EpisodeStates.read(ResultsFolder(uninterrupted).states_path(row.task, row.seed))
        assert len(episode.states) == len(episode.stages) == row.steps + 1 == len(episode.actions) + 1
        state = env.reset(row.seed).state
        np.testing.assert_array_equal(episode.states[0], state)
        for action, after in zip(episode.actions, episode.states[1:], strict=True):
            np.testing.assert_array_equal(env.step(action).observation.state, after)


def test_every_initial_state_has_its_own_sha256(uninterrupted):
    rows = ResultsFolder(uninterrupted).rows
    assert len({row.initial_state_sha256 for row in rows}) == len(rows)
    assert all(len(row.initial_state_sha256) == 64 for row in rows)


def test_a_row_reads_back(uninterrupted):
    for row in ResultsFolder(uninterrupted).rows:
        assert EpisodeRow.from_line(row.to_line()) == row
    with pytest.raises(DatasetError, match=r"results\.jsonl"):
        EpisodeRow.from_line('{"seed": 3}')


def test_the_summary_counts_errors_separately_and_as_not_successful(uninterrupted):
    summary = json.loads((uninterrupted / "summary.json").read_text())
    task = summary["tasks"]["insertion"]
    assert (task["n"], task["successes"], task["failures"], task["errors"]) == (5, 2, 2, 1)
    assert task["rate"] == 0.4 and task["interval"] == list(wilson_interval(2, 5))
    assert summary["complete"] and summary["suite"] is None and summary["policy"] == "hold"
    assert summary["timings"]["episodes"] == 5 and summary["timings"]["episodes_per_min"] > 0
    seconds = sum(row.wall_s for row in ResultsFolder(uninterrupted).rows)
    assert task["episodes_per_min_and_worker"] == pytest.approx(60 * 5 / seconds, abs=0.01)
    assert {"mujoco", "ambidex"} <= set(summary["versions"]) and summary["machine"]["usable_cores"] >= 1
    assert "--policy hold" in summary["command"] and "--workers" not in summary["command"]


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_workers_gives_the_same_results(uninterrupted, tmp_path, workers):
    run_into(tmp_path, workers=workers)
    assert_same_results(uninterrupted, tmp_path)


@pytest.mark.parametrize("complete", [0, 2, 4])
def test_resume_after_an_incomplete_row_gives_the_same_results(uninterrupted, tmp_path, complete):
    run_into(tmp_path)
    lines = (tmp_path / "results.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "results.jsonl").write_text("".join(lines[:complete]) + lines[complete][:30])
    ResultsFolder(tmp_path).states_path("insertion", FIRST + 4).unlink()
    (tmp_path / "states" / "insertion" / ".9.npz.tmp-123").write_text("half")
    assert run_into(tmp_path, resume=True).complete
    assert_same_results(uninterrupted, tmp_path)
    assert not list(tmp_path.rglob("*.tmp-*"))


def test_resume_runs_no_episode_twice_and_keeps_the_timings(uninterrupted, tmp_path):
    first = run_into(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "states").rglob("*.npz")}
    again = run_into(tmp_path, resume=True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "states").rglob("*.npz")} == before
    assert again.timings.episodes == first.timings.episodes == 5


def test_results_can_be_extended(uninterrupted, tmp_path):
    run_into(tmp_path, episodes=2)
    run_into(tmp_path, resume=True)
    assert_same_results(uninterrupted, tmp_path)


def test_resume_of_a_missing_folder_starts_a_new_run(uninterrupted, tmp_path):
    run_into(tmp_path / "new", resume=True)
    assert_same_results(uninterrupted, tmp_path / "new")


def test_a_worker_that_dies_is_replaced_and_its_episode_run_again(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "1")
    run_into(tmp_path / "died", agent=DyingAgent, workers=2)
    assert (tmp_path / "marker").read_text() == "x"
    assert_same_results(uninterrupted, tmp_path / "died")


def test_an_episode_that_kills_its_workers_has_no_row_and_is_run_on_resume(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "2")
    summary = run_into(tmp_path / "died", agent=DyingAgent, workers=2)
    assert not summary.complete and len(summary.rows) == 4
    assert f"insertion, seed {FIRST + 3}" in summary.worker_errors[0] and "died" in summary.worker_errors[0]
    assert not json.loads((tmp_path / "died" / "summary.json").read_text())["complete"]
    assert run_into(tmp_path / "died", agent=DyingAgent, resume=True).complete
    assert_same_results(uninterrupted, tmp_path / "died")


def test_a_suite_runs_all_its_tasks_and_has_an_overall_rate(tmp_path):
    summary = run_into(tmp_path, task=None, suite="aloha", episodes=3, agent=FakeAgent)
    assert [(row["task"], row["seed"]) for row in rows_of(tmp_path)] == [
        (task, FIRST + i) for task in ("insertion", "transfer_cube") for i in range(3)
    ]
    written = json.loads((tmp_path / "summary.json").read_text())
    assert list(written["tasks"]) == ["transfer_cube", "insertion"]
    assert (written["suite"]["name"], written["suite"]["n"], written["suite"]["successes"]) == ("aloha", 6, 2)
    text = str(summary)
    assert all(name in text for name in ("transfer_cube", "insertion", "aloha", "2/6 = 33.3 % (95 % interval"))
    assert written["suite"]["exact_interval"] == list(exact_interval(2, 6))
    assert written["suite"]["tasks_interval"] is None and "for these 2 tasks only" in text and "unknown" in text
    assert written["suite"]["episodes_per_min_and_worker"] > 0 and "ends when success has held" in text


def test_without_failures_the_missing_videos_are_explained(tmp_path):
    text = str(run_into(tmp_path, episodes=2, agent=LuckyAgent, video="failures"))
    assert "There are no failures, so no videos." in text and "not in the page" not in text


def test_every_rate_has_its_interval(uninterrupted):
    text = str(run_into(uninterrupted, resume=True))
    assert text.count("%") == 2 * text.count("(95 % interval") == 2
    assert "report.html" in text


@pytest.mark.parametrize("policy", ["hold", "random"])
def test_hold_and_random_never_succeed(tmp_path, policy):
    summary = benchmark(replace(HOLD, policy=policy, output_dir=tmp_path, episodes=2, horizon=100))
    assert [row.outcome for row in summary.rows] == ["failure", "failure"]
    assert all(row.steps == 100 for row in summary.rows)
    moved = [EpisodeStates.read(ResultsFolder(tmp_path).states_path("insertion", FIRST + i)).actions for i in range(2)]
    assert (np.ptp(moved[0], axis=0) > 0).all() == (policy == "random")


def test_the_expert_succeeds_and_the_episode_ends(tmp_path):
    summary = benchmark(replace(HOLD, policy="scripted", output_dir=tmp_path, episodes=2))
    assert summary.overall.successes == 2
    assert all(row.steps < 400 for row in summary.rows)
    assert [stage.count for stage in summary.tasks["insertion"].stages] == [2, 2, 2, 2]


class FailingResetAgent(FakeAgent):
    def __init__(self, env):
        super().__init__(env)
        fail_reset(env, FIRST + 3)


@pytest.fixture(scope="module")
def failed_reset(tmp_path_factory):
    """Five episodes; the reset of the fourth fails."""
    directory = tmp_path_factory.mktemp("failed_reset") / "results"
    assert run_into(directory, agent=FailingResetAgent).complete
    return directory


def test_an_episode_whose_reset_fails_is_a_row(failed_reset):
    rows = ResultsFolder(failed_reset).rows
    assert [row.outcome for row in rows] == ["failure", "success", "error", "error", "success"]
    row = rows[3]
    assert row.reason == "NoFreeSpotError: there is no room for the bowl"
    assert row.error.startswith(f"{row.reason}\nTraceback ")
    assert (row.steps, row.stage_name, row.initial_state_sha256, row.has_states) == (0, "none", "", False)
    assert not ResultsFolder(failed_reset).states_path("insertion", row.seed).exists()
    task = json.loads((failed_reset / "summary.json").read_text())["tasks"]["insertion"]
    assert (task["n"], task["errors"], task["rate"]) == (5, 2, 0.4)


def test_resume_does_not_repeat_a_failed_reset(failed_reset, tmp_path):
    run_into(tmp_path, agent=FailingResetAgent, episodes=2)
    assert run_into(tmp_path, agent=FailingResetAgent, resume=True).complete
    assert_same_results(tmp_path, failed_reset)


def test_an_episode_whose_reset_fails_has_no_video(failed_reset):
    videos = make_videos(ResultsFolder(failed_reset), style=VideoStyle(image_size=(48, 64)), workers=0).videos
    assert sorted(path.name for path in videos) == [f"{FIRST}_failure.mp4", f"{FIRST + 2}_error.mp4"]
    shown = {episode.seed: episode for episode in read_run(failed_reset).episodes}[FIRST + 3]
    assert not shown.can_be_watched and "no room" in shown.reason and why_absent(shown)


class HopelessAgent(FakeAgent):
    """Every episode raises an error."""

    def reset(self, observation, seed):
        raise RuntimeError("no weights")


def test_the_run_ends_if_the_first_episodes_all_end_with_an_error(tmp_path):
    with pytest.raises(AmbidexError, match="no weights") as raised:
        run_into(tmp_path, agent=HopelessAgent, episodes=30)
    assert raised.value.facts["reason"] == f"insertion, seed {FIRST}: RuntimeError: no weights"
    assert len(rows_of(tmp_path)) == 5 and (tmp_path / "summary.json").is_file()


def test_the_error_of_a_row_is_not_replaced_by_that_of_the_summary(tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise DatasetError(f"{path.name} could not be written", path=path)

    monkeypatch.setattr("ambidex.benchmarks.results.folder.append_line", full)
    monkeypatch.setattr(ResultsFolder, "write_summary", lambda self, values: full(self.path / "summary.json"))
    with pytest.raises(DatasetError, match=r"results\.jsonl"):
        run_into(tmp_path)


def test_the_errors_of_workers_are_not_replaced_by_that_of_the_page(tmp_path, monkeypatch):
    def full(*_):
        raise DatasetError("100000.npz could not be written")

    def no_page(*_, **__):
        raise DatasetError("report.html could not be written")

    monkeypatch.setattr(EpisodeStates, "write", full)
    monkeypatch.setattr("ambidex.benchmarks.evaluation.benchmark.write_report", no_page)
    with pytest.raises(AmbidexError, match=r"100000\.npz.*report\.html"):
        run_into(tmp_path, episodes=2)
