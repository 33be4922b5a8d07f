from dataclasses import replace

import pytest
from paired_results import write_outcomes
from results_folder import FIRST_SEED, make_row, rewrite_row, write_results
from synthetic_episode import make_spec

from ambidex.benchmarks.compare_policies import main
from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.errors import DatasetError


@pytest.fixture
def two(tmp_path):
    return write_outcomes(tmp_path / "a", "ssff"), write_outcomes(tmp_path / "b", "sfsf", policy="hold")


@pytest.fixture
def refused(capsys):
    """Runs the command, which must fail with an exit code; gives the paragraph on stderr."""

    def run(code, *argv):
        with pytest.raises(SystemExit) as leaving:
            main([str(word) for word in argv])
        out, err = capsys.readouterr()
        assert (leaving.value.code, out) == (code, "") and err.startswith("compare-policies: ") and err.count("\n") == 1
        return err

    return run


def test_fewer_than_two_folders(two, refused):
    assert "got none" in refused(2)
    assert f"got {two[0]}" in refused(2, two[0])


def test_a_folder_with_itself(two, tmp_path, refused):
    assert "the same folder" in refused(2, two[0], two[0])
    (tmp_path / "link").symlink_to(two[0])
    assert "the same folder" in refused(2, two[0], two[1], tmp_path / "link")


@pytest.mark.parametrize(
    ("flag", "value"),
    [("difference", "0"), ("difference", "10"), ("difference", "nan"), ("power", "80"), ("power", "0")],
)
def test_numbers_out_of_range(two, refused, flag, value):
    assert f"--{flag} {float(value)}" in refused(2, *two, f"--{flag}", value)


def test_no_such_folder_and_no_episodes(two, tmp_path, refused):
    assert "There is no folder" in refused(2, two[0], tmp_path / "x" / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "has no episodes: it has no row in results.jsonl, but nothing" in refused(1, two[0], tmp_path / "empty")


@pytest.mark.parametrize(("file", "what"), [("dataset.json", "a dataset of rec"), ("train.json", "a run of train-p")])
def test_a_folder_of_another_command_is_told_by_its_kind(two, tmp_path, refused, file, what):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / file).touch()
    assert f"other is {what}" in refused(1, two[0], tmp_path / "other")


def test_results_beside_a_folder_that_is_not_there_are_named(two, tmp_path, refused):
    (tmp_path / "b2").mkdir()
    text = refused(2, two[0], tmp_path / "bb")
    assert text.endswith(f"such as those beside it: {tmp_path / 'b'}, {tmp_path / 'a'}.\n")
    for number in range(10, 15):
        (tmp_path / f"act{number}").mkdir()
        (tmp_path / f"act{number}" / "results.jsonl").touch()
    assert f"beside it: {tmp_path / 'act10'}, " in (text := refused(2, two[0], tmp_path / "act1"))
    assert text.endswith(" and 2 more.\n") and str(tmp_path / "b2") not in text


def test_damaged_files_are_named(two, refused):
    rewrite_row(two[1], 2, outcome="perhaps")
    assert "Not a row of results.jsonl" in refused(1, *two)


def test_a_damaged_summary_is_named(two, refused):
    (two[1] / "summary.json").write_text("[]")
    assert "summary.json cannot be read" in refused(1, *two)


def test_an_episode_that_stands_there_twice(two, refused):
    rows = (two[0] / "results.jsonl").read_text()
    (two[0] / "results.jsonl").write_text(rows + rows)
    assert "more than one row" in refused(1, *two)


def test_several_policies_in_one_folder(two, refused):
    rewrite_row(two[0], 1, policy="random")
    assert "several policies: act, chunk:100; random, chunk:100" in refused(1, *two)


def test_nothing_in_common(two, tmp_path, refused):
    other = write_outcomes(tmp_path / "other", "ss", first=FIRST_SEED + 50, policy="random")
    message = refused(1, two[0], other)
    assert "no episode in common" in message and "A has insertion 100000 to 100003, B has insertion 100050" in message


def test_other_starts_of_the_same_seeds(two, refused):
    rewrite_row(two[1], 1, initial_state_sha256="f" * 64)
    rewrite_row(two[1], 3, initial_state_sha256="e" * 64, versions={"ambidex": "0.1.0", "mujoco": "4.1.0"})
    message = refused(1, *two)
    assert "different initial states in" in message and "2 of 4 common episodes" in message
    assert "insertion seed 100001" in message and "mujoco 4.0.0 in A and 4.0.0 and 4.1.0 in B" in message


def test_an_episode_that_broke_before_it_began_has_no_start_and_fails(two):
    rewrite_row(two[1], 0, initial_state_sha256="", outcome="error", error="no start")
    (comparison,) = compare(CompareConfig(results=two))
    assert comparison.together.counts.pairs == 4 and comparison.together.counts.successes_b == 1


@pytest.mark.parametrize("changes", [{"spread": "wide"}, {"horizon": 300}, {"stages": ("none", "done")}])
def test_another_problem_of_the_same_name(two, tmp_path, changes):
    ours = replace(make_spec(task="insertion"), stages=("none", "a"))
    rows = [make_row(seed=FIRST_SEED + i) for i in range(2)]
    a = write_results(tmp_path / "x", rows, videos=False, env_specs={"insertion": ours})
    b = write_results(tmp_path / "y", rows, videos=False, env_specs={"insertion": replace(ours, **changes)})
    with pytest.raises(DatasetError, match=f"different settings of insertion: {next(iter(changes))} "):
        compare(CompareConfig(results=(a, b)))


def test_other_cameras_or_control_are_the_policies_choice(tmp_path):
    ours = make_spec(task="insertion")
    a = write_results(tmp_path / "x", [make_row()], videos=False, env_specs={"insertion": ours})
    theirs = replace(ours, cameras=(), control="ee", image_size=(10, 20))
    b = write_results(tmp_path / "y", [make_row()], videos=False, env_specs={"insertion": theirs})
    assert len(compare(CompareConfig(results=(a, b)))) == 1
