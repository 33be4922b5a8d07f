"""The page of a run that has not finished."""

import pytest
from results_folder import report_of, typical_rows, write_results


@pytest.mark.parametrize("size", [(1024, 720), (375, 812)])
def test_missing_episodes_are_shown_beside_the_rate(page, tmp_path, size):
    command = "run-benchmark --policy act --suite aloha --episodes 30"
    folder = write_results(tmp_path / "act", typical_rows(), command=command)
    page.open(report_of(folder).as_uri(), size=size)
    assert f"{folder} is not finished: it has 16 of 60 episodes" in page.text("#notice")
    amounts = [" ".join(cell.text.split()) for cell in page.all(".rates td.amount")]
    assert [amount.split("3 of 8 ")[-1] for amount in amounts[:2]] == ["22 of 30 missing"] * 2
    assert amounts[2].endswith("44 of 60 missing")
    assert page.js("document.documentElement.scrollWidth") <= size[0]
    page.click("summary")
    assert "16 of 60: not finished" in page.text("#about")
