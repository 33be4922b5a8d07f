"""Folders and flags that cannot be compared."""

import shutil
from dataclasses import replace

import pytest
from paired_results import write_outcomes
from results_folder import FIRST_SEED, make_row, rewrite_row, write_results
from synthetic_episode import make_spec

from ambidex.benchmarks.compare_policies import main
from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.errors import DatasetError, UsageError


@pytest.fixture
def two(tmp_path):
    return write_outcomes(tmp_path / "a", "ssff"), write_outcomes(tmp_path / "b", "sfsf", policy="hold")


def refused(error, *folders, **flags):
    """The facts of the error that comparing the folders raises."""
    with pytest.raises(error) as raised:
        compare(CompareConfig(results=folders, **flags))
    return raised.value.facts


@pytest.mark.parametrize("given", [0, 1])
def test_fewer_than_two_folders_are_refused(two, given):
    assert refused(UsageError, *two[:given])["got"] == two[:given]


def test_a_folder_is_not_compared_with_itself(two, tmp_path):
    assert refused(UsageError, two[0], two[0])["path"] == two[0]
    (tmp_path / "link").symlink_to(two[0])
    assert refused(UsageError, two[0], two[1], tmp_path / "link")["path"] == tmp_path / "link"


@pytest.mark.parametrize(
    ("flag", "value"),
    [("difference", 0), ("difference", 10), ("difference", "nan"), ("power", 80), ("power", 1), ("power", 0)],
)
def test_numbers_out_of_range_are_refused(two, flag, value):
    assert refused(UsageError, *two, **{flag: float(value)})["field"] == flag


@pytest.mark.parametrize(("wrong", "status"), [("nowhere", 2), ("empty", 2)])
def test_the_command_exits_with_one_paragraph(two, tmp_path, capsys, wrong, status):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as ended:
        main([str(two[0]), str(tmp_path / wrong)])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (status, "")
    assert err.startswith("compare-policies: ") and err.count("\n") == 1 and str(tmp_path / wrong) in err


@pytest.mark.parametrize(("file", "writer"), [("dataset.json", "record-episodes"), ("train.json", "train-policy")])
def test_the_error_on_a_folder_of_another_command_names_that_command(two, tmp_path, file, writer):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / file).touch()
    with pytest.raises(DatasetError, match=writer):
        compare(CompareConfig(results=(two[0], tmp_path / "other")))


def test_the_error_on_a_missing_folder_names_results_beside_it(two, tmp_path):
    (tmp_path / "b2").mkdir()
    with pytest.raises(UsageError) as raised:
        compare(CompareConfig(results=(two[0], tmp_path / "bb")))
    assert raised.value.hint.endswith(f": {tmp_path / 'b'}, {tmp_path / 'a'}.")
    for number in range(10, 15):
        (tmp_path / f"act{number}").mkdir()
        (tmp_path / f"act{number}" / "results.jsonl").touch()
    with pytest.raises(UsageError) as raised:
        compare(CompareConfig(results=(two[0], tmp_path / "act1")))
    assert f": {tmp_path / 'act10'}, " in raised.value.hint and raised.value.hint.endswith(" and 2 more.")
    assert str(tmp_path / "b2") not in raised.value.hint


def test_damaged_rows_are_refused(two):
    rewrite_row(two[1], 2, outcome="perhaps")
    assert "perhaps" in refused(DatasetError, *two)["got"]


def test_a_damaged_summary_is_refused(two):
    (two[1] / "summary.json").write_text("[]")
    assert refused(DatasetError, *two)["path"] == two[1] / "summary.json"


def test_several_policies_in_one_folder_are_refused(two):
    rewrite_row(two[0], 1, policy="random")
    assert refused(DatasetError, *two)["got"] == ["act, chunk:100", "random, chunk:100"]


def test_folders_without_common_episodes_are_refused(two, tmp_path):
    other = write_outcomes(tmp_path / "other", "ss", first=FIRST_SEED + 50, policy="random")
    with pytest.raises(DatasetError, match="A has insertion 100000 to 100003, B has insertion 100050 to 100051"):
        compare(CompareConfig(results=(two[0], other)))


def test_different_initial_states_of_the_same_seeds_are_refused(two):
    rewrite_row(two[1], 1, initial_state_sha256="f" * 64)
    rewrite_row(two[1], 3, initial_state_sha256="e" * 64, versions={"ambidex": "0.1.0", "mujoco": "4.1.0"})
    with pytest.raises(DatasetError, match=r"mujoco 4\.0\.0 in A and 4\.0\.0 and 4\.1\.0 in B") as raised:
        compare(CompareConfig(results=two))
    assert raised.value.facts["got"] == [("insertion", FIRST_SEED + 1), ("insertion", FIRST_SEED + 3)]


def test_an_episode_whose_reset_failed_has_no_initial_state_and_counts_as_not_successful(two):
    rewrite_row(two[1], 0, initial_state_sha256="", outcome="error", error="no initial state")
    (comparison,) = compare(CompareConfig(results=two))
    assert comparison.together.counts.pairs == 4 and comparison.together.counts.successes_b == 1


@pytest.mark.parametrize("changes", [{"spread": "wide"}, {"horizon": 300}, {"stages": ("none", "done")}])
def test_different_settings_of_the_same_task_are_refused(tmp_path, changes):
    ours = replace(make_spec(task="insertion"), stages=("none", "a"))
    rows = [make_row(seed=FIRST_SEED + i) for i in range(2)]
    a = write_results(tmp_path / "x", rows, videos=False, env_specs={"insertion": ours})
    b = write_results(tmp_path / "y", rows, videos=False, env_specs={"insertion": replace(ours, **changes)})
    facts = refused(DatasetError, a, b)
    assert facts["task"] == "insertion" and facts["got"][0].startswith(f"{next(iter(changes))} ")


def test_cameras_and_control_mode_may_differ(tmp_path):
    ours = make_spec(task="insertion")
    a = write_results(tmp_path / "x", [make_row()], videos=False, env_specs={"insertion": ours})
    theirs = replace(ours, cameras=(), control="ee", image_size=(10, 20))
    b = write_results(tmp_path / "y", [make_row()], videos=False, env_specs={"insertion": theirs})
    assert len(compare(CompareConfig(results=(a, b)))) == 1


def test_a_copy_of_a_folder_is_not_a_second_policy(two, tmp_path):
    copy = shutil.copytree(two[0], tmp_path / "copy")
    assert refused(DatasetError, two[0], two[1], copy)["path"] == copy
    rewrite_row(copy, 0, wall_s=1.5)
    assert compare(CompareConfig(results=(two[0], copy)))[0].together.counts.pairs == 4
