"""Tournaments that run episodes: folders, resuming, the table and the page, and what is refused."""

import json
import re
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from benchmarking_fakes import FakeAgent, assert_same_results, rows_of
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.run_benchmark import main
from ambidex.benchmarks.tournament.candidates import plan_candidates
from ambidex.benchmarks.tournament.folder import TournamentFolder, TournamentInfo
from ambidex.benchmarks.tournament.page import write_files
from ambidex.benchmarks.tournament.ranking import Ranking
from ambidex.benchmarks.tournament.run import run_tournament
from ambidex.envs.env import make
from ambidex.errors import UsageError
from ambidex.flags import parse_command

OWN = tuple(f"tournament_policies:{name}" for name in ("Poor", "Good", "Fair"))
NAMES = tuple(address.replace(":", "-") for address in OWN)
BEST_OF_OWN = BenchmarkConfig(
    tournament="best", policies=OWN, task="insertion", budget=34, workers=0, quiet=True, video="none"
)


SPEC = make("insertion", cameras=("top",), image_size=(24, 32)).spec


def load(path):
    return ToyPolicy(SPEC)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("tournament") / "own"
    return run_tournament(replace(BEST_OF_OWN, output_dir=place))


def episodes(folder):
    return {name: len(rows_of(folder / name)) for name in NAMES}


def test_episodes_go_to_the_policies_whose_comparison_is_open(finished):
    """The good policy beats the poor one in all of the first ten seeds: 2^10 / 11 = 93 is above 3 / 0.05."""
    folder, ranking = finished
    assert episodes(folder.path) == {NAMES[0]: 10, NAMES[1]: 12, NAMES[2]: 12}
    assert [place.candidate.name for place in ranking.places] == [NAMES[1], NAMES[2], NAMES[0]]
    assert [place.letters for place in ranking.places] in (["a", "a", "b"], ["a", "ab", "b"])
    assert ranking.episodes == 34 and ranking.saved == 2
    assert [each.pair.policies for each in ranking.remaining] == [(0, 1)]


def test_an_interrupted_tournament_has_the_episodes_of_one_that_was_not(finished, tmp_path, monkeypatch):
    config, reset = replace(BEST_OF_OWN, output_dir=tmp_path), FakeAgent.reset
    for after, stored in ((14, 14), (17, 31)):  # of the second policy, in its first round and in its second

        def interrupting_reset(agent, observation, seed, calls=count(), after=after):  # noqa: B008
            if next(calls) == after:
                raise KeyboardInterrupt
            reset(agent, observation, seed)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt, match=f"{stored} episodes .* --polic"):
            patched.setattr(FakeAgent, "reset", interrupting_reset)
            run_tournament(config)
        config = replace(config, resume=True)
    _, ranking = run_tournament(config)
    folder, uninterrupted = finished
    for name in NAMES:
        assert_same_results(tmp_path / name, folder.path / name)
    assert ranking == uninterrupted


def test_the_folders_of_the_policies_are_compared_as_any_others(finished):
    folder, ranking = finished
    good, poor = (folder.path / NAMES[k] for k in (1, 0))
    (comparison,) = compare(CompareConfig(results=(good, poor)))
    pair = next(each.pair for each in ranking.comparisons if each.pair.policies == (0, 2))
    assert comparison.together.counts == pair.counts
    assert comparison.together.sequential.p_value == pytest.approx(pair.p / 3)


def test_the_command_prints_the_table_and_writes_the_page(finished, run_command, tmp_path):
    folder, ranking = finished
    flags = ["--resume", "--policies", *OWN, "--task", "insertion", "--budget", "34", "--output-dir", folder.path]
    status, out, err = run_command(main, "--tournament", "best", *flags, "--video", "none")
    assert status == 0 and err == ""
    assert out.startswith(f"{ranking}\n") and "1 of 3 comparisons is open" in out
    assert "34 of 34 episodes were run, 2 fewer than 12 of each policy." in out
    page = (folder.path / "report.html").read_text()
    assert parse_command("run-benchmark", folder.info.command, BenchmarkConfig).tournament == "best"
    assert "''" not in folder.info.command  # which the command refuses, as an empty variable of the shell
    for place in ranking.places:
        address = f"{place.candidate.name}/report.html"
        assert f'href="{address}"' in page and (folder.path / address).is_file()
    values = json.loads((folder.path / "ranking.json").read_text())
    assert [each["candidate"]["name"] for each in values["policies"]] == [NAMES[1], NAMES[2], NAMES[0]]
    assert values["settled"] is False and [each["open"] for each in values["pairs"]] == [True, False, False]


def test_names_in_the_page_cannot_become_markup(finished, tmp_path):
    folder, ranking = finished
    named = TournamentFolder(tmp_path)
    named.info = replace(folder.info, command="run-benchmark <script>alert(1)</script>")
    write_files(named, ranking)
    assert "<script" not in (tmp_path / "report.html").read_text()


def test_code_of_ones_own_is_not_run_by_the_folder_alone(finished):
    folder, _ = finished
    with pytest.raises(UsageError, match="results of your own code") as caught:
        run_tournament(BenchmarkConfig(resume=True, output_dir=folder.path))
    assert f"--policies {' '.join(OWN)}" in caught.value.hint


def test_checkpoints_are_found_by_a_pattern_once_each_and_resumed_by_the_folder_alone(tmp_path):
    steps = [write_checkpoint(tmp_path / "runs" / "a" / "checkpoints" / step, step.encode()) for step in ("1", "20")]
    steps[0].with_name("last").symlink_to("20")
    pattern = str(tmp_path / "runs" / "*" / "checkpoints" / "*")
    config = BenchmarkConfig(
        tournament="order", checkpoints=(pattern,), policies=("hold",), task="insertion", horizon=3
    )
    config = replace(config, budget=5, device="cpu", workers=0, quiet=True, output_dir=tmp_path / "t")
    folder, ranking = run_tournament(config, load=load)
    assert [each.name for each in folder.info.candidates] == ["a-1", "a-20", "hold"]
    assert [each.checkpoint for each in folder.info.candidates] == [*map(str, steps), ""]
    assert ranking.episodes == 3
    write_checkpoint(tmp_path / "runs" / "b" / "checkpoints" / "1", b"later, and not in this tournament")
    resumed = BenchmarkConfig(resume=True, output_dir=tmp_path / "t", budget=6, workers=0, quiet=True)
    assert run_tournament(resumed, load=load)[1].episodes == 6
    assert [len(rows_of(tmp_path / "t" / name)) for name in ("a-1", "a-20", "hold")] == [2, 2, 2]
    with pytest.raises(UsageError, match="--budget was 6, now 5: it may only grow"):
        run_tournament(replace(resumed, budget=5), load=load)
    with pytest.raises(UsageError, match=r"other settings: --tournament was order, now best\."):
        run_tournament(replace(resumed, tournament="best"), load=load)
    with pytest.raises(UsageError, match="b-1 is new"):
        run_tournament(replace(config, resume=True, budget=6), load=load)
    write_checkpoint(steps[0], b"trained further")
    with pytest.raises(UsageError, match="a-1 is new, or has other weights"):
        run_tournament(resumed, load=load)


def two_checkpoints(folder, second=b"b", task="insertion"):
    paths = [write_checkpoint(folder / name, weights) for name, weights in (("a", b"a"), ("b", second))]
    (paths[1] / "env_spec.json").write_text(json.dumps({"task": task}))
    return tuple(map(str, paths))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policies": ("hold",)}, "two policies or more, got only hold"),
        ({"policies": None}, "two policies or more, got none"),
        ({"policies": ("hold", "hold")}, "hold and hold are the same policy"),
        ({"policies": ("hold", "act")}, "--policies act: this is a trained policy"),
        ({"policies": ("hold", "scriptd")}, "'scriptd'.* Did you mean 'scripted'"),
        ({"checkpoints": ("runs/*/checkpoints/*",)}, r"--checkpoints runs/\*/checkpoints/\*: nothing matches in"),
        ({"checkpoints": ("nowhere",)}, "nowhere is no checkpoint"),
        ({"tournament": "worst"}, "kind of tournament 'worst'.*Known: best, order"),
        ({"shard": "1/2"}, "--shard does not go with --tournament. Which episodes are run depends"),
        ({"take_over": Path("results")}, "--take-over does not go with --tournament"),
        ({"suite": "robustness", "task": None}, "--suite robustness does not go with --tournament"),
        ({"policy": "hold"}, "--policy does not go with --tournament. Name the policies with"),
        ({"checkpoint": Path("runs/a")}, "--checkpoint does not go with --tournament"),
        ({"training_seeds": True}, "--training-seeds does not go with --tournament"),
        ({"episodes": 5, "budget": 9}, "--episodes 5 .* and --budget 9 .* exclude each other"),
        ({"budget": 1}, "--budget 1: one episode of 2 policies in 1 task.* is 2"),
        ({"spend": "where-open"}, "--spend: only with --suite robustness"),
    ],
)
def test_what_a_tournament_cannot_do_is_refused_before_any_episode(changes, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = BenchmarkConfig(
        tournament="order", policies=("hold", "random"), task="insertion", output_dir=tmp_path / "t"
    )
    with pytest.raises(UsageError, match=message):
        run_tournament(replace(config, **changes))
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("second", "task", "message"),
    [
        (b"a", "insertion", "a and .*b are the same policy, with the same weights"),
        (b"b", "transfer_cube", "b was trained on transfer_cube, not on insertion"),
    ],
)
def test_copies_and_checkpoints_of_other_tasks_are_refused(second, task, message, tmp_path):
    config = BenchmarkConfig(tournament="order", checkpoints=two_checkpoints(tmp_path, second, task), task="insertion")
    with pytest.raises(UsageError, match=message):
        run_tournament(config)


def test_every_policy_has_a_name_of_its_own(tmp_path):
    folders = [write_checkpoint(tmp_path / run / "a", run.encode()) for run in ("x", "y", "z")]
    checkpoints = (str(folders[0]), str(write_checkpoint(tmp_path / "a.2")), *map(str, folders[1:]))
    config = BenchmarkConfig(tournament="order", checkpoints=checkpoints, task="insertion")
    candidates, _ = plan_candidates(config)
    assert [each.name for each in candidates] == ["a", "a.2", "a.3", "a.4"]


def test_several_policies_need_a_tournament():
    for changes in ({"checkpoints": ("runs/a",)}, {"policies": ("hold",)}, {"tournament": "best"}):
        with pytest.raises(UsageError, match="only in a tournament of several policies"):
            make_plan(BenchmarkConfig(policy="hold", task="insertion", **changes))
    with pytest.raises(UsageError, match=re.escape("--budget: only with --suite robustness, or --budget with")):
        make_plan(BenchmarkConfig(policy="hold", task="insertion", budget=5))


def test_a_tournament_is_of_the_order_unless_a_word_is_given(run_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = run_command(main, "--tournament", "--policies", "hold", "--task", "insertion")
    assert status == 2 and "two policies or more" in err
    status, _, err = run_command(main, "--tournament", "best", "order", "--policies", "hold")
    assert status == 2 and "expected one name" in err


def test_the_best_policy_is_first_although_a_worse_one_has_a_higher_rate_on_fewer_seeds(finished):
    """The second policy loses on the common seeds, and the first is unlucky later."""
    texts = ("1" * 14 + "0" * 86, "1" * 4 + "0" * 10, "0" * 30)
    outcomes = [np.array([[c == "1"] for c in text], dtype=bool) for text in texts]
    ranking = Ranking.of(finished[0], outcomes)
    assert [place.candidate.name for place in ranking.places] == list(NAMES)
    assert ranking.places[0].rate < ranking.places[1].rate
    assert ranking.verdict == f"The best policy is settled: {NAMES[0]}."


def test_the_settings_are_stored(finished):
    folder, _ = finished
    info = TournamentInfo.read(folder.path)
    assert info.rule == folder.info.rule and info.candidates == folder.info.candidates
    assert (info.rule.mode, info.rule.budget, info.rule.alpha) == ("best", 34, 0.05)
    assert (info.tasks, info.first_seed) == (("insertion",), 100_000)
    assert len({each.fingerprint for each in info.candidates}) == 1  # all of one module
    assert f"--policies {' '.join(OWN)}" in info.command
