import json

import pytest
from results_folder import make_row

from ambidex.benchmarks.results.row import EpisodeRow, code_at, code_runs, format_episodes
from ambidex.envs.types import NO_CODE, Behaviour
from ambidex.errors import DatasetError


def test_codes_become_runs_and_each_step_finds_its_code():
    codes = [17] * 4 + [3] * 4 + [17] * 2 + [0]
    runs = code_runs(codes)
    assert runs == ((17, 4), (3, 4), (17, 2), (0, 1))
    assert [code_at(runs, t) for t in range(len(codes))] == codes
    assert code_at(runs, len(codes)) == 0  # the last state has the last action's code


def test_agents_without_codes_have_no_runs():
    assert code_runs([]) == code_runs([NO_CODE] * 9) == ()
    assert code_at((), 3) == NO_CODE


def test_a_row_with_codes_reads_back():
    row = make_row(codes=((17, 100), (3, 200)))
    assert EpisodeRow.from_line(row.to_line()) == row


def test_a_row_without_codes_has_no_such_key_as_in_older_versions():
    line = make_row().to_line()
    assert "codes" not in json.loads(line)
    assert EpisodeRow.from_line(line) == make_row()


def test_a_row_with_a_number_that_is_not_finite_is_not_written():
    with pytest.raises(DatasetError, match=r"results\.jsonl"):
        make_row(wall_s=float("nan")).to_line()


@pytest.mark.parametrize("codes", [7, [[1]], [["a", 2]], None])
def test_malformed_codes_are_a_damaged_row(codes):
    line = json.dumps({**json.loads(make_row().to_line()), "codes": codes})
    with pytest.raises(DatasetError, match=r"results\.jsonl") as raised:
        EpisodeRow.from_line(line)
    assert raised.value.facts["got"] == line


def test_consecutive_seeds_are_formatted_as_ranges():
    keys = [("transfer_cube", 100_000), *(("insertion", seed) for seed in (100_060, 100_000, 100_001, 100_002))]
    assert format_episodes(keys) == "insertion 100000 to 100002, 100060; transfer_cube 100000"
    assert format_episodes([]) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "../../../victim"}, {"seed": -1}, {"seed": 1.5}, {"stage": -1}, {"steps": "400"},
        {"task": ["insertion"]}, {"outcome": "../victim"}, {"checks": {"a": 3}}, {"wall_s": "1"}, {"versions": []},
    ],
    ids=str,
)  # fmt: skip
def test_a_field_of_another_type_or_out_of_range_is_named(change):
    line = json.dumps({**json.loads(make_row().to_line()), **change})
    with pytest.raises(DatasetError, match=next(iter(change))):
        EpisodeRow.from_line(line)


def test_nested_brackets_are_a_damaged_row():
    with pytest.raises(DatasetError, match="nested too deeply"):
        EpisodeRow.from_line("[" * 100_000)


def test_the_behaviour_of_a_row_reads_back_and_older_rows_have_none():
    behaviour = Behaviour(
        stage_steps={"none": 3}, path_m={"left": 1.5}, idle={"left": 0.5}, largest_force_n=7.0, drops=1
    )
    row = make_row(behaviour=behaviour)
    assert EpisodeRow.from_line(row.to_line()) == row
    assert "behaviour" not in make_row().to_line()
