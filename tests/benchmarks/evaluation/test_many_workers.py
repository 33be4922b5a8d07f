"""A thousand synthetic workers: the rows that a command stores each second, and those it keeps when it is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from ambidex.benchmarks.results.folder import ResultsFolder

SCRIPT = Path(__file__).parents[2] / "support" / "many_workers.py"


def command(folder, workers, episodes, *each):
    return [sys.executable, str(SCRIPT), str(folder), str(workers), str(episodes), *each]


def test_a_killed_command_has_every_row_that_it_stored_and_resumes(tmp_path):
    with subprocess.Popen(command(tmp_path, 100, 3000, "each"), stdout=subprocess.PIPE, text=True) as process:
        stored = [int(process.stdout.readline()) for _ in range(1000)]
        process.kill()
        stored += [int(line) for line in process.stdout.read().split()]
    assert len(stored) < 3000
    assert set(stored) <= {row.seed for row in ResultsFolder(tmp_path).rows}
    subprocess.run(command(tmp_path, 100, 3000), check=True, capture_output=True)
    assert len({row.seed for row in ResultsFolder(tmp_path).rows}) == 3000


@pytest.mark.slow
def test_a_thousand_workers_have_2000_rows_stored_each_second(tmp_path):
    output = subprocess.run(command(tmp_path, 1000, 20_000), check=True, capture_output=True, text=True).stdout
    assert len(ResultsFolder(tmp_path).rows) == 20_000
    assert int(output.split()[-2]) >= 2000
