import json

import pytest
from results_folder import make_row

from ambidex.benchmarks.results.row import EpisodeRow, code_at, code_runs
from ambidex.envs.types import NO_CODE
from ambidex.errors import DatasetError


def test_codes_become_runs_and_each_step_finds_its_own():
    codes = [17] * 4 + [3] * 4 + [17] * 2 + [0]
    runs = code_runs(codes)
    assert runs == ((17, 4), (3, 4), (17, 2), (0, 1))
    assert [code_at(runs, t) for t in range(len(codes))] == codes
    assert code_at(runs, len(codes)) == 0  # the last state stands under the last action's code


def test_who_has_no_codes_has_no_runs():
    assert code_runs([]) == code_runs([NO_CODE] * 9) == ()
    assert code_at((), 3) == NO_CODE


def test_a_row_keeps_its_codes():
    row = make_row(codes=((17, 100), (3, 200)))
    assert EpisodeRow.from_line(row.to_line()) == row


def test_a_row_without_codes_is_as_older_versions_wrote_it():
    line = make_row().to_line()
    assert "codes" not in json.loads(line)
    assert EpisodeRow.from_line(line) == make_row()


@pytest.mark.parametrize("codes", [7, [[1]], [["a", 2]], None])
def test_codes_that_are_none_are_a_damaged_row(codes):
    line = json.dumps({**json.loads(make_row().to_line()), "codes": codes})
    with pytest.raises(DatasetError, match=r"Not a row of results\.jsonl"):
        EpisodeRow.from_line(line)
