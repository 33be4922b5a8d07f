"""Merged shards are the run without shards: rows in the same order, states, summary and benchmark.json."""

import errno
import json
import os
from dataclasses import replace
from itertools import permutations

import pytest
from benchmarking_fakes import FIRST, HOLD, assert_same_results, interrupted_run, run_into
from results_folder import rewrite_row, write_video

from ambidex.benchmarks import merge_results
from ambidex.benchmarks.merging.merge import merge
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import MEASURED
from ambidex.errors import DatasetError, UsageError
from ambidex.output_folder import exclusive_lock

SUITE = replace(HOLD, task=None, suite="aloha", episodes=4)
TIMES = {*MEASURED, "timings", "episodes_per_min_and_worker", "load_before"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a run of eight episodes as "whole", and of its shards as "1", "2" and "3"."""
    place = tmp_path_factory.mktemp("runs")
    run_into(place / "whole", SUITE)
    for index in (1, 2, 3):
        run_into(place / str(index), SUITE, shard=f"{index}/3")
    return place


@pytest.fixture
def shards(runs, tmp_path):
    """Copies of the three shards, which a test may change."""
    return [copied(runs / str(index), tmp_path / f"shard{index}") for index in (1, 2, 3)]


def copied(folder, place):
    for file in files_of(folder):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_bytes((folder / file).read_bytes())
    return place


def files_of(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def contents(folder):
    return {file: (folder / file).read_bytes() for file in files_of(folder)}


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items() if key not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def written(folder):
    """The JSON files of a results folder without times, and the rows in the order of the file."""
    files = {name: json.loads((folder / name).read_text()) for name in ("benchmark.json", "summary.json")}
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    return without_times(files | {"rows": rows})


def remove_rows(folder, rows):
    """Leave a folder as a run that was killed before these episodes."""
    for row in rows:
        ResultsFolder(folder).remove(row)
    (folder / "summary.json").unlink()


def change_info(folder, **changes):
    replace(BenchmarkInfo.read(folder), **changes).write(folder)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_merged_shards_are_the_run(runs, tmp_path, order):
    paths = [runs / str(index) for index in order]
    before = [contents(path) for path in paths]
    summary = merge(paths, tmp_path / "merged")
    assert summary.complete and summary.requested == 8
    assert written(tmp_path / "merged") == written(runs / "whole")
    assert files_of(tmp_path / "merged") == files_of(runs / "whole")
    states = [file for file in files_of(runs / "whole") if file.endswith(".npz")]
    merged, whole = contents(tmp_path / "merged"), contents(runs / "whole")
    assert len(states) == 8 and all(merged[file] == whole[file] for file in states)
    assert [contents(path) for path in paths] == before


@pytest.mark.parametrize("stored", [0, 1])
def test_two_shards_of_which_one_was_killed_are_resumed_to_the_run(runs, tmp_path, monkeypatch, stored):
    interrupted_run(tmp_path / "1", SUITE, monkeypatch, after=stored, shard="1/2")
    (tmp_path / "1" / "summary.json").unlink()
    run_into(tmp_path / "2", SUITE, shard="2/2")
    merged = tmp_path / "merged"
    assert not merge([tmp_path / "1", tmp_path / "2"], merged).complete
    assert f"is not finished: it has {4 + stored} of 8 episodes" in ResultsFolder(merged).warning
    assert run_into(merged, SUITE, resume=True).complete
    assert_same_results(runs / "whole", merged)
    assert written(merged)["summary.json"] == written(runs / "whole")["summary.json"]


def test_folders_without_any_episode_are_merged_too(shards, tmp_path):
    remove_rows(shards[0], ResultsFolder(shards[0]).rows)
    summary = merge(shards[:1], tmp_path / "merged")
    assert (summary.requested, summary.rows) == (8, ()) and "0 of 0" not in str(summary)
    assert "is not finished: it has 0 of 8 episodes" in ResultsFolder(tmp_path / "merged").warning


def test_a_run_can_be_merged_in_steps(runs, tmp_path):
    merge([runs / "3", runs / "1"], tmp_path / "two")
    merge([tmp_path / "two", runs / "2"], tmp_path / "merged")
    assert written(tmp_path / "merged") == written(runs / "whole")


def test_states_of_an_episode_without_a_row_are_left_out(shards, tmp_path):
    row = ResultsFolder(shards[0]).rows[0]
    ResultsFolder(shards[0]).remove(row)
    (shards[0] / "summary.json").unlink()
    merge(shards, tmp_path / "merged")
    assert not ResultsFolder(tmp_path / "merged").states_path(*row.key).exists()


def test_files_are_copied_where_there_are_no_hard_links(runs, tmp_path, monkeypatch):
    def refuse(source, target, **options):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    states = ResultsFolder(runs / "1").states_path(*ResultsFolder(runs / "1").rows[0].key)
    merge([runs / "1"], tmp_path / "linked")
    monkeypatch.setattr("os.link", refuse)
    merge([runs / "1"], tmp_path / "copied")
    linked, copy = (tmp_path / name / states.relative_to(runs / "1") for name in ("linked", "copied"))
    assert linked.samefile(states) and not copy.samefile(states)
    assert copy.read_bytes() == states.read_bytes()


def test_videos_are_taken_over_and_missing_ones_named(shards, tmp_path):
    for path in shards:
        config = {**BenchmarkInfo.read(path).config, "video": "failures"}
        change_info(path, config=config)
    failures = [(path, row) for path in shards for row in ResultsFolder(path).rows if not row.success]
    for path, row in failures[1:]:
        write_video(ResultsFolder(path).video_path(row), row, steps=2)
    (missing,) = merge(shards, tmp_path / "merged").missing_videos
    assert (missing.task, missing.seed) == failures[0][1].key
    assert f"run-benchmark --resume --output-dir {tmp_path / 'merged'}" in missing.reason
    assert len(list((tmp_path / "merged" / "videos").rglob("*.mp4"))) == len(failures) - 1


def test_every_difference_is_named_with_both_values(shards, tmp_path):
    info = BenchmarkInfo.read(shards[1])
    spec = replace(info.env_specs["insertion"], horizon=7)
    change_info(
        shards[1],
        config={**info.config, "seed": FIRST + 5, "spread": "wide", "workers": 3},
        versions={**info.versions, "mujoco": "5.0.0", "ambidex": "0.9.9"},
        source=replace(info.source, sha256="a" * 64),
        env_specs={**info.env_specs, "insertion": spec},
    )
    with pytest.raises(UsageError) as raised:
        merge(shards, tmp_path / "merged")
    mine, other = BenchmarkInfo.read(shards[0]), f"in {shards[1]}"
    assert raised.value.facts["paths"] == (shards[0], shards[1])
    assert raised.value.facts["differences"] == (
        f"--seed: {FIRST} in {shards[0]}, {FIRST + 5} {other}",
        f"--spread: published in {shards[0]}, wide {other}",
        f"mujoco: {mine.versions['mujoco']} in {shards[0]}, 5.0.0 {other}",
        f"ambidex: {mine.versions['ambidex']} in {shards[0]}, 0.9.9 {other}",
        f"insertion: horizon: {mine.env_specs['insertion'].horizon} != 7",
        f"the fingerprint of the policy: {mine.fingerprint[:12]} in {shards[0]}, {'a' * 12} {other}",
    )
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_another_model_is_refused_in_every_order(shards, tmp_path, order):
    """Also if the first folder has no episode of that task."""
    paths = [shards[index] for index in order]
    remove_rows(shards[0], [row for row in ResultsFolder(shards[0]).rows if row.task == "insertion"])
    (index,) = [k for k, row in enumerate(ResultsFolder(shards[2]).read_rows()) if row.task == "insertion"][:1]
    rewrite_row(shards[2], index, model_sha256="b" * 64)
    with pytest.raises(UsageError) as raised:
        merge(paths, tmp_path / "merged")
    (line,) = raised.value.facts["differences"]
    assert line.startswith("the model of insertion: ") and f"{'b' * 12} in {shards[2]}" in line
    assert str(shards[0]) not in str(raised.value) and not (tmp_path / "merged").exists()


def test_the_same_episode_in_two_folders_is_refused(runs, tmp_path):
    of_second = [row.key for row in ResultsFolder(runs / "2").rows]
    for others in ([runs / "1", runs / "2"], [runs / "whole"]):
        with pytest.raises(UsageError, match="have the same episodes: ") as raised:
            merge([*others, runs / "2"], tmp_path / "merged")
        assert raised.value.facts["episodes"] == tuple(of_second)
    assert not (tmp_path / "merged").exists()


def test_definition_and_first_images_are_those_of_the_first_episode(shards, runs, tmp_path):
    for path in shards:
        (path / "first_request").mkdir()
        (path / "first_request" / "top.png").write_text(path.name)
        (path / "definition.bddl").write_text("(define)")
    first = json.loads((runs / "whole" / "results.jsonl").read_text().splitlines()[0])
    (of_first,) = [p for p in shards if (first["task"], first["seed"]) in {r.key for r in ResultsFolder(p).rows}]
    empty = next(path for path in shards if path != of_first)
    remove_rows(empty, ResultsFolder(empty).rows)
    merge(sorted(shards, key=lambda path: path == of_first), tmp_path / "merged")
    assert (tmp_path / "merged" / "definition.bddl").read_text() == "(define)"
    assert (tmp_path / "merged" / "first_request" / "top.png").read_text() == of_first.name


def test_no_folder_at_all_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Expected results folders to merge, got none"):
        merge([], tmp_path / "merged")


@pytest.mark.parametrize("kind", ["rollouts on a robot", "take-overs"])
def test_folders_that_have_no_shards_are_refused(shards, tmp_path, kind):
    if kind == "take-overs":
        path = shards[0] / "benchmark.json"
        start = {"source": "x", "failures_sha256": "y", "step": 0, "episodes": 3}
        path.write_text(json.dumps(json.loads(path.read_text()) | {"take_over": start}))
    else:
        change_info(shards[0], verdicts="ask")
    with pytest.raises(UsageError, match=f"has {kind}, which are not run in shards"):
        merge(shards, tmp_path / "merged")


def test_lost_states_are_refused(shards, tmp_path):
    row = ResultsFolder(shards[2]).rows[0]
    ResultsFolder(shards[2]).states_path(*row.key).unlink()
    with pytest.raises(DatasetError, match=f"{row.seed}.npz is missing"):
        merge(shards, tmp_path / "merged")


def test_a_folder_with_other_content_stays_as_it_is(runs, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is not empty: it holds notes\.txt"):
        merge([runs / "1"], tmp_path)
    assert files_of(tmp_path) == ["notes.txt"]


def test_no_other_command_writes_into_the_folder_during_the_merge(runs, tmp_path, monkeypatch):
    def write(info, folder):
        with exclusive_lock(tmp_path / "merged"):
            pass

    monkeypatch.setattr(BenchmarkInfo, "write", write)
    with pytest.raises(DatasetError, match="Another process is writing into"):
        merge([runs / "1"], tmp_path / "merged")
    assert not list(tmp_path.iterdir())


def test_a_link_to_an_empty_folder_stays_a_link(runs, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "merged").symlink_to(tmp_path / "disk")
    merge([runs / "1"], tmp_path / "merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "merged"]
    assert files_of(tmp_path / "disk") == files_of(runs / "1")


def test_an_interruption_leaves_nothing(runs, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(BenchmarkInfo, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        merge([runs / "1", runs / "2"], tmp_path / "merged")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_table_and_fails_while_episodes_are_missing(runs, tmp_path, run_command):
    paths = [runs / str(index) for index in (1, 2, 3)]
    status, out, err = run_command(merge_results.main, *paths[:2], "--output-dir", tmp_path / "two")
    assert status == 1 and "is not finished: it has 6 of 8 episodes" in " ".join(err.split())
    assert f"run-benchmark --resume --output-dir {tmp_path / 'two'}" in err and "Shard 3 of 3 is missing." in err
    status, out, err = run_command(merge_results.main, *paths, "--output-dir", tmp_path / "all")
    assert (status, err) == (0, "") and "2/8" in out and "shard" not in out
    assert run_command(merge_results.main, *paths, "--output-dir", tmp_path / "quiet", "--quiet") == (0, "", "")
