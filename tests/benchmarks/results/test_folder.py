"""Results folders: reading, appending, and episodes that are missing, which every command that shows a rate reports."""

import json
import os
import time
import weakref
from dataclasses import replace
from hashlib import sha256

import pytest
from benchmarking_fakes import FIRST, HOLD, FakeAgent, assert_same_results, rows_of, run_into
from page_parts import PageParts
from paired_results import write_outcomes
from results_folder import make_row, report_of, typical_rows, write_results

from ambidex.benchmarks.codes.code_usage import CodeUsageConfig
from ambidex.benchmarks.codes.code_usage import main as code_usage
from ambidex.benchmarks.compare_policies import main as compare_policies
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results import folder as results_folder_module
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import CheckpointId
from ambidex.benchmarks.watch_rollouts import main as watch_rollouts
from ambidex.errors import DatasetError, UsageError

REQUESTED_30 = {"command": "run-benchmark --policy act --task insertion --episodes 30 --seed 100000"}
RESUME = "run-benchmark --resume --output-dir"


@pytest.fixture
def killed(tmp_path):
    """7 of 30 episodes of a run that was killed: there is no summary."""
    return write_results(tmp_path / "killed", typical_rows()[:7], **REQUESTED_30)


@pytest.fixture
def cut(tmp_path):
    """Six episodes, of which results.jsonl has lost all but the first."""
    folder = write_outcomes(tmp_path / "cut", "sssfff")
    cut_rows(folder)
    return folder


def cut_rows(folder):
    first, *_ = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    (folder / "results.jsonl").write_text(first)


def test_rows_are_sorted_by_task_and_seed_and_read_once(tmp_path, monkeypatch):
    rows = typical_rows()
    results = ResultsFolder(write_results(tmp_path, rows[::-1], videos=False))
    reads = []
    read = results_folder_module.read_rows
    monkeypatch.setattr(results_folder_module, "read_rows", lambda *args: reads.append(args) or read(*args))
    assert results.rows == sorted(rows, key=lambda row: row.key) == results.rows
    assert len(reads) == 1


def test_appended_rows_are_on_disk_and_in_order(tmp_path):
    rows = [make_row(seed=FIRST + i) for i in range(4)]
    results = ResultsFolder(tmp_path)
    for row in (rows[2], rows[0], rows[3], rows[1]):
        results.append(row)
        assert row in ResultsFolder(tmp_path).rows
    assert results.rows == ResultsFolder(tmp_path).rows == rows


def test_rows_are_forced_to_the_disk_once_in_a_while_and_at_the_end(tmp_path, monkeypatch):
    forced, fsync, now = [], os.fsync, [0.0]
    monkeypatch.setattr(os, "fsync", lambda file: (forced.append(os.fstat(file).st_size), fsync(file)))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    results, sizes = ResultsFolder(tmp_path), []
    for i, seconds in enumerate((0.0, 0.04, 0.04, 0.04, 0.04)):
        now[0] += seconds
        results.append(make_row(seed=FIRST + i))
        sizes.append((tmp_path / "results.jsonl").stat().st_size)
    assert [size for size in forced if size in sizes] == [sizes[0], sizes[3]]
    results.write_summary({})
    assert sizes[4] in forced


def test_appended_rows_are_not_kept_in_memory(tmp_path):
    results, row = ResultsFolder(tmp_path), make_row(seed=FIRST)
    results.append(row)
    kept = weakref.ref(row)
    del row
    assert kept() is None and len(results.rows) == 1


def test_a_row_whose_append_was_interrupted_is_read_from_the_file(tmp_path, monkeypatch):
    results = ResultsFolder(write_results(tmp_path, [make_row(seed=FIRST)], videos=False))
    assert len(results.rows) == 1

    append_line = results_folder_module.append_line

    def interrupt(*args, **kwargs):
        append_line(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(results_folder_module, "append_line", interrupt)
    with pytest.raises(KeyboardInterrupt):
        results.append(make_row(seed=FIRST + 1))
    assert [row.seed for row in results.rows] == [FIRST, FIRST + 1]


def test_an_episode_with_two_rows_is_refused(tmp_path):
    rows = [make_row(seed=FIRST), make_row(seed=FIRST + 1), make_row(seed=FIRST)]
    with pytest.raises(DatasetError) as raised:
        _ = ResultsFolder(write_results(tmp_path, rows, videos=False)).rows
    assert raised.value.facts["episode"] == f"seed {FIRST} of insertion"
    assert raised.value.facts["path"] == tmp_path / "results.jsonl"


def test_the_page_reports_an_unfinished_run(killed):
    page = PageParts(report_of(killed).read_text())
    assert page.model["notice"].startswith(f"{killed} is not finished") and page.model["short"]
    assert page.model["notice"].endswith(f"{RESUME} {killed}")
    (run,) = page.model["runs"]
    assert run["tasks"][0]["missing"] == 23 and ["episodes", "7 of 30: not finished"] in run["facts"]
    assert "23 of 30 episodes missing" in " ".join(page.texts)  # without JavaScript


def test_watch_rollouts_reports_an_unfinished_run(killed, tmp_path, run_command):
    status, _, err = run_command(watch_rollouts, killed, "--export", tmp_path / "page.html")
    assert status == 0 and err.startswith(f"watch-rollouts: {killed} is not finished: it has 7 of 30 episodes")
    assert run_command(watch_rollouts, killed, "--export", tmp_path / "page.html", "--quiet") == (0, "", "")


def test_a_comparison_reports_an_unfinished_run(killed, tmp_path, run_command):
    other = write_outcomes(tmp_path / "other", "s" * 30, policy="hold")
    status, out, _ = run_command(compare_policies, killed, other)
    assert status == 0 and f"A ({killed}) is not finished: it has 7 of 30 episodes" in " ".join(out.split())


def test_a_finished_run_has_no_notice(tmp_path):
    folder = write_results(tmp_path / "act", typical_rows()[:7])
    page = PageParts(report_of(folder).read_text())
    assert page.model["notice"] == "" and not page.model["short"]
    assert ["episodes", "7 of 7"] in page.model["runs"][0]["facts"]


def test_a_run_that_was_extended_and_killed_is_unfinished_whatever_its_old_summary_says(tmp_path):
    folder = write_outcomes(tmp_path / "act", "sssfff", **REQUESTED_30)
    results = ResultsFolder(folder)
    assert (len(results.rows), results.requested, results.stored_summary.episodes) == (6, 30, 6)
    assert results.unfinished and not results.lost
    assert PageParts(report_of(folder).read_text()).model["notice"].startswith(results.warning)


def test_without_known_flags_a_run_is_not_called_unfinished(tmp_path):
    folder = write_results(tmp_path / "act", typical_rows()[:2], command="run-benchmark --flavour 3")
    assert ResultsFolder(folder).requested is None
    assert PageParts(report_of(folder).read_text()).model["notice"] == ""


def test_page_and_terminal_report_lost_rows(cut, tmp_path, run_command):
    _, _, err = run_command(watch_rollouts, cut, "--export", tmp_path / "page.html")
    notice = PageParts((tmp_path / "page.html").read_text()).model["notice"]
    for text in (err.splitlines()[0], notice.splitlines()[0]):
        assert "summary.json counts 6, results.jsonl has 1" in text and f"{RESUME} {cut}" in text
    assert "not finished" not in notice


def test_a_folder_with_lost_rows_is_not_compared(cut, tmp_path, run_command):
    other = write_outcomes(tmp_path / "other", "sfsfsf", policy="hold")
    status, out, err = run_command(compare_policies, cut, other)
    assert (status, out) == (1, "") and str(cut) in err
    with pytest.raises(DatasetError) as raised:
        ResultsFolder.open(cut)
    assert (raised.value.facts["expected"], raised.value.facts["got"]) == (6, 1)


def test_a_summary_that_is_written_is_the_one_that_is_read(tmp_path):
    results = ResultsFolder(write_outcomes(tmp_path, "sf"))
    assert results.stored_summary.episodes == 2
    results.write_summary({"complete": False, "tasks": {"insertion": {"n": 7}}})
    assert (results.stored_summary.complete, results.stored_summary.episodes) == (False, 7)


@pytest.mark.parametrize(
    "change",
    [{"complete": 1}, {"tasks": []}, {"tasks": {"x": {}}}, {"tasks": {"x": {"n": "3"}}}, {"timings": 3}],
)
def test_a_summary_of_other_types_is_an_error_that_names_it(tmp_path, change):
    folder = write_outcomes(tmp_path, "sf")
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DatasetError) as raised:
        ResultsFolder.open(folder)
    assert raised.value.facts["path"] == path


def test_resume_runs_lost_episodes_again(tmp_path):
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
    stored = rows_of(tmp_path / "one")
    cut_rows(tmp_path / "one")
    assert resume(tmp_path / "one").info.policy == "hold"
    assert rows_of(tmp_path / "one") == stored
    assert len(resume(tmp_path / "one", episodes=4).rows) == 4


def test_with_other_flags_the_folder_is_not_enough(tmp_path):
    run_into(tmp_path, episodes=1)
    with pytest.raises(UsageError) as raised:
        resume(tmp_path, seed=FIRST + 1)
    assert raised.value.facts["got"] == ["--seed"] and raised.value.facts["path"] == tmp_path
    with pytest.raises(UsageError, match="--policy"):
        benchmark(replace(HOLD, policy="", output_dir=tmp_path))
    with pytest.raises(UsageError, match="--policy"):
        resume(tmp_path / "nowhere")


def test_code_usage_reports_an_unfinished_run_and_refuses_lost_rows(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.safetensors").write_bytes(b"weights")
    (run / "config.json").write_text(json.dumps({"policy": "uniact", "config": {"codes": 8}}))
    checkpoint = CheckpointId(path=str(run), sha256=sha256(b"weights").hexdigest())
    rows = [make_row(seed=FIRST + i, policy="uniact", codes=((3, 10),)) for i in range(2)]
    folder = write_results(tmp_path / "uniact", rows, videos=False, checkpoint=checkpoint, **REQUESTED_30)
    config = CodeUsageConfig(results=(folder,), output=tmp_path / "codes.png")
    code_usage(config)
    assert capsys.readouterr().err.startswith(f"code-usage: {folder} is not finished")
    (folder / "summary.json").write_text(json.dumps({"complete": False, "tasks": {"insertion": {"n": 6}}}))
    with pytest.raises(DatasetError) as raised:
        code_usage(config)
    assert (raised.value.facts["expected"], raised.value.facts["got"]) == (6, 2)
