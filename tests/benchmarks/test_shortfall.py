"""Results that lack episodes: a run that was killed, and rows that were lost. Everybody who shows a rate says so."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from benchmarking_fakes import FIRST, HOLD, FakeAgent, assert_same_results, rows_of, run_into
from page_parts import PageParts
from paired_results import write_outcomes
from results_folder import make_row, typical_rows, write_results

from ambidex.benchmarks.codes.code_usage import CodeUsageConfig
from ambidex.benchmarks.codes.code_usage import main as code_usage
from ambidex.benchmarks.compare_policies import main as compare_policies
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.gallery.report import write_report
from ambidex.benchmarks.results.info import CheckpointId
from ambidex.benchmarks.watch_rollouts import main as watch_rollouts
from ambidex.errors import DatasetError, UsageError

ASKED_FOR_30 = {"command": "run-benchmark --policy act --task insertion --episodes 30 --seed 100000"}
RESUME = "run-benchmark --resume --output-dir"


@pytest.fixture
def left(capsys):
    """Runs a command in this process; gives exit code, stdout and stderr."""

    def run(main, *words):
        with pytest.raises(SystemExit) as leaving:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return leaving.value.code, out, err

    return run


@pytest.fixture
def killed(tmp_path):
    """7 of 30 episodes, as a kill leaves them: without a summary."""
    return write_results(tmp_path / "killed", typical_rows()[:7], **ASKED_FOR_30)


@pytest.fixture
def cut(tmp_path):
    """Six episodes, of which results.jsonl has lost all but the first."""
    folder = write_outcomes(tmp_path / "cut", "sssfff")
    cut_rows(folder)
    return folder


def cut_rows(folder):
    first, *_ = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    (folder / "results.jsonl").write_text(first)


def test_the_page_says_that_a_run_is_not_finished(killed):
    page = PageParts(write_report(killed).read_text())
    assert f"{killed} is not finished: it has 7 of 30 episodes" in page.model["notice"] and page.model["short"]
    assert page.model["notice"].endswith(f"{RESUME} {killed}")
    (run,) = page.model["runs"]
    assert run["tasks"][0]["missing"] == 23 and ["episodes", "7 of 30: not finished"] in run["facts"]
    assert "23 of 30 episodes missing" in " ".join(page.texts)  # without JavaScript


def test_the_terminal_says_that_a_run_is_not_finished(killed, tmp_path, left):
    code, _, err = left(watch_rollouts, killed, "--export", tmp_path / "page.html")
    assert code == 0 and err.startswith(f"watch-rollouts: {killed} is not finished: it has 7 of 30 episodes")
    assert left(watch_rollouts, killed, "--export", tmp_path / "page.html", "--quiet") == (0, "", "")


def test_a_comparison_says_that_a_run_is_not_finished(killed, tmp_path, left):
    other = write_outcomes(tmp_path / "other", "s" * 30, policy="hold")
    code, out, _ = left(compare_policies, killed, other)
    assert code == 0 and f"A ({killed}) is not finished: it has 7 of 30 episodes" in " ".join(out.split())


def test_a_finished_run_says_nothing_of_it(tmp_path):
    folder = write_results(tmp_path / "act", typical_rows()[:7])
    page = PageParts(write_report(folder).read_text())
    assert page.model["notice"] == "" and not page.model["short"]
    assert ["episodes", "7 of 7"] in page.model["runs"][0]["facts"]


def test_a_run_that_was_extended_and_killed_is_not_finished_whatever_its_old_summary_says(tmp_path):
    folder = write_outcomes(tmp_path / "act", "sssfff", **ASKED_FOR_30)
    assert "6 of 30 episodes" in PageParts(write_report(folder).read_text()).model["notice"]


def test_of_an_unknown_command_nothing_is_said(tmp_path):
    folder = write_results(tmp_path / "act", typical_rows()[:2], command="run-benchmark --flavour 3")
    assert PageParts(write_report(folder).read_text()).model["notice"] == ""


def test_lost_rows_are_said_on_the_page_and_the_terminal(cut, tmp_path, left):
    _, _, err = left(watch_rollouts, cut, "--export", tmp_path / "page.html")
    notice = PageParts((tmp_path / "page.html").read_text()).model["notice"]
    for said in (err.splitlines()[0], notice.splitlines()[0]):
        assert "has lost episodes: summary.json counts 6, results.jsonl has 1" in said and f"{RESUME} {cut}" in said
    assert "not finished" not in notice


def test_lost_rows_are_not_compared(cut, tmp_path, left):
    other = write_outcomes(tmp_path / "other", "sfsfsf", policy="hold")
    code, out, err = left(compare_policies, cut, other)
    assert (code, out) == (1, "") and "summary.json counts 6, results.jsonl has 1" in err


def test_resume_makes_lost_rows_again(tmp_path):
    run_into(tmp_path / "cut", episodes=4)
    run_into(tmp_path / "whole", episodes=4)
    cut_rows(tmp_path / "cut")
    summary = run_into(tmp_path / "cut", episodes=4, resume=True)
    assert summary.complete and json.loads((tmp_path / "cut" / "summary.json").read_text())["complete"]
    assert_same_results(tmp_path / "cut", tmp_path / "whole")


def resume(folder, **changes):
    alone = BenchmarkConfig(resume=True, output_dir=folder, video="none", workers=0, quiet=True)
    return benchmark(replace(alone, **changes), agent_factory=FakeAgent)


def test_the_folder_alone_is_enough_to_resume(tmp_path):
    run_into(tmp_path / "one", episodes=3, seed=FIRST + 1, spread="wide")
    kept = rows_of(tmp_path / "one")
    cut_rows(tmp_path / "one")
    assert resume(tmp_path / "one").info.policy == "hold"
    assert rows_of(tmp_path / "one") == kept
    assert len(resume(tmp_path / "one", episodes=4).rows) == 4


def test_with_other_flags_the_folder_is_not_enough(tmp_path):
    run_into(tmp_path, episodes=1)
    with pytest.raises(UsageError, match="--seed without --policy"):
        resume(tmp_path, seed=FIRST + 1)
    with pytest.raises(UsageError, match="No policy is given"):
        benchmark(replace(HOLD, policy="", output_dir=tmp_path))
    with pytest.raises(UsageError, match="No policy is given"):
        resume(tmp_path / "nowhere")


def test_the_use_of_codes_says_that_a_run_is_not_finished_and_refuses_lost_rows(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.safetensors").write_bytes(b"weights")
    (run / "config.json").write_text(json.dumps({"policy": "uniact", "config": {"codes": 8}}))
    made_by = CheckpointId(path=str(run), sha256=sha256(b"weights").hexdigest())
    rows = [make_row(seed=FIRST + i, policy="uniact", codes=((3, 10),)) for i in range(2)]
    folder = write_results(tmp_path / "uniact", rows, videos=False, checkpoint=made_by, **ASKED_FOR_30)
    config = CodeUsageConfig(results=(folder,), output=tmp_path / "codes.png")
    code_usage(config)
    assert capsys.readouterr().err.startswith(f"code-usage: {folder} is not finished: it has 2 of 30 episodes")
    (folder / "summary.json").write_text(json.dumps({"complete": False, "tasks": {"insertion": {"n": 6}}}))
    with pytest.raises(DatasetError, match=r"summary\.json counts 6, results\.jsonl has 2"):
        code_usage(config)
