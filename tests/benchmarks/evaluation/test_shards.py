"""A shard of a benchmark: its episodes, its folder, resuming it, and what does not go with it."""

import json
from dataclasses import replace
from itertools import chain

import pytest
from benchmarking_fakes import FIRST, HOLD, FakeAgent, interrupted_run, run_into

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.gallery.results import read_results
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robustness.suite import run_robustness
from ambidex.benchmarks.run_benchmark import main
from ambidex.benchmarks.take_over.run import take_over
from ambidex.errors import UsageError

SUITE = replace(HOLD, task=None, suite="aloha", episodes=4)


def episodes(**changes):
    return make_plan(replace(SUITE, **changes)).episodes


@pytest.mark.parametrize("suite", ["aloha", "libero_goal"])
@pytest.mark.parametrize("each", [2, 7, 50])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_shards_are_disjoint_and_together_the_run(suite, each, count):
    whole = episodes(suite=suite, episodes=each)
    shards = [episodes(suite=suite, episodes=each, shard=f"{index + 1}/{count}") for index in range(count)]
    assert sorted(chain.from_iterable(shards)) == sorted(whole)
    assert all(shard == [episode for episode in whole if episode in set(shard)] for shard in shards)
    assert {len(shard) - len(whole) // count for shard in shards} <= {0, 1}


def test_every_shard_has_episodes_of_every_task():
    shards = [episodes(suite="libero_goal", episodes=50, shard=f"{index}/8") for index in range(1, 9)]
    assert all(len({task for task, _ in shard}) == 10 for shard in shards)


@pytest.mark.parametrize("text", ["0/4", "5/4", "x", "3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(UsageError, match=f"--shard {text}: expected I/N"):
        episodes(shard=text)


def test_more_shards_than_episodes_are_refused():
    assert len(episodes(shard="8/8")) == 1
    with pytest.raises(UsageError, match=r"--shard 1/9: there are more shards than episodes \(8\)"):
        episodes(shard="1/9")


def test_shards_have_default_folders_of_their_own():
    plans = [make_plan(replace(SUITE, shard=shard)) for shard in (None, "03/8", "4/8")]
    assert [plan.directory.name for plan in plans] == ["hold-aloha", *(f"hold-aloha-shard-{i}-of-8" for i in (3, 4))]
    assert plans[1].config.shard == "3/8"


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """The folder of shard 2/3, of three episodes, interrupted in the last one."""
    interrupted_run(tmp_path, SUITE, monkeypatch, after=2, shard="2/3")
    return tmp_path


def test_a_shard_is_resumed_without_its_flag_and_is_complete_with_its_own_episodes(interrupted):
    assert "has 2 of 3 episodes" in ResultsFolder(interrupted).unfinished
    stored = BenchmarkConfig(resume=True, output_dir=interrupted, workers=0, quiet=True)
    summary = benchmark(stored, agent_factory=FakeAgent)
    assert summary.complete and summary.requested == 3
    assert {row.key for row in summary.rows} == set(episodes(shard="2/3"))
    assert json.loads((interrupted / "summary.json").read_text())["complete"]
    results = ResultsFolder(interrupted)
    assert (results.requested, results.requested_each, results.unfinished) == (3, None, "")


def test_table_and_page_say_which_shard_it_is(tmp_path):
    summary = run_into(tmp_path, SUITE, shard="2/3")
    assert "These are the episodes of shard 2 of 3 only." in str(summary)
    run = read_results(ResultsFolder(tmp_path))
    assert dict(run.facts)["shard"].startswith("2 of 3;")
    assert all("--shard" not in episode.command for episode in run.episodes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shard": "1/3"}, "--shard was 2/3, now 1/3"),
        ({"shard": None}, "--shard was 2/3, now auto"),
        ({"shard": "2/3", "episodes": 5}, "--episodes was 4, now 5: not in a shard, only after merging"),
    ],
)
def test_a_resume_as_another_shard_is_refused(interrupted, changes, message):
    with pytest.raises(UsageError, match=message):
        run_into(interrupted, replace(SUITE, **changes), resume=True)
    assert len(ResultsFolder(interrupted).rows) == 2


def test_a_resume_without_policy_names_no_shard(interrupted):
    with pytest.raises(UsageError, match="--shard without --policy"):
        benchmark(BenchmarkConfig(resume=True, output_dir=interrupted, shard="2/3"))


def test_the_robustness_suite_has_no_shards(tmp_path):
    config = BenchmarkConfig(policy="hold", suite="robustness", task="insertion", shard="1/2", output_dir=tmp_path)
    with pytest.raises(UsageError, match="--shard 1/2 does not go with --suite robustness"):
        run_robustness(config)


def test_take_overs_have_no_shards(tmp_path):
    with pytest.raises(UsageError, match="--shard: not with --take-over"):
        take_over(BenchmarkConfig(policy="scripted", take_over=tmp_path, shard="1/2"))


def test_perturbed_episodes_are_run_in_shards(tmp_path):
    config = replace(HOLD, episodes=2, horizon=3, perturb=("dynamics:2",), shard="2/2")
    summary = benchmark(replace(config, output_dir=tmp_path))
    ((task, seed),) = make_plan(config).episodes
    assert [(row.task, row.seed) for row in summary.rows] == [(task, seed)] and seed in (FIRST, FIRST + 1)
    assert summary.rows[0].perturbed


def test_the_command_prints_one_paragraph(run_command):
    status, _, err = run_command(main, "--policy", "hold", "--task", "insertion", "--shard", "5/4")
    assert status == 2 and "--shard 5/4: expected I/N, shard I of N, with I from 1 to N." in " ".join(err.split())
