"""The expert from LIBERO's 50 stored initial states of each task, which the package hf-libero has (MIT licence)."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig

SUITES_OF_TEN = ("libero_spatial", "libero_object", "libero_goal", "libero_10")
SETTLE_STEPS = 10  # as the protocols of OpenVLA and LeRobot


@pytest.fixture(scope="session")
def init_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf_libero")
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        "hf-libero==0.1.4",
    ]
    done = subprocess.run(download, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"hf-libero cannot be downloaded: {done.stderr.strip()}")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder / "libero" / "libero" / "init_files"


@pytest.mark.slow
@pytest.mark.parametrize(("suites", "rate"), [(SUITES_OF_TEN, 0.98), (("libero_90",), 0.96)])
def test_the_expert_solves_the_tasks_from_stored_states(
    init_files: Path, tmp_path: Path, suites: tuple[str, ...], rate: float
) -> None:
    tallies = {}
    for suite in suites:
        config = BenchmarkConfig(
            policy="scripted",
            suite=suite,
            init_states=init_files / suite,
            episodes=50,
            settle_steps=SETTLE_STEPS,
            video="none",
            output_dir=tmp_path / suite,
            quiet=True,
        )
        tallies |= benchmark(config).tasks
    assert sum(tally.successes for tally in tallies.values()) >= rate * 50 * len(tallies)
    assert {task: tally for task, tally in tallies.items() if tally.successes < 0.7 * 50} == {}
