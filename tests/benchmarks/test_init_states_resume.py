"""A benchmark from initial states goes on from the same states, wherever their file lies, and from no others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarking_fakes import HOLD
from goal_states import goal_states
from torch_file import write_states

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.errors import UsageError

CONFIG = replace(HOLD, task="libero_goal/1", episodes=1, horizon=3)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Three initial states."""
    return goal_states(3)


@pytest.fixture
def done(tmp_path: Path, rows: np.ndarray) -> BenchmarkConfig:
    """One episode from the first state is in its folder."""
    states = write_states(tmp_path / "goal.pruned_init", rows)
    config = replace(CONFIG, init_states=states, output_dir=tmp_path / "results")
    assert benchmark(config).complete
    return config


def test_the_same_states_elsewhere_are_the_same(done: BenchmarkConfig, tmp_path: Path) -> None:
    moved = Path(str(done.init_states)).rename(tmp_path / "there.pruned_init")
    assert benchmark(replace(done, init_states=moved, episodes=2, resume=True)).complete


@pytest.mark.parametrize("episodes", [1, 2])  # none left to run, and one
def test_resume_refuses_other_states_under_the_same_name(
    done: BenchmarkConfig, rows: np.ndarray, episodes: int
) -> None:
    write_states(Path(str(done.init_states)), rows + 0.001)
    with pytest.raises(
        UsageError, match=r"were made with other settings: --init-states of libero_goal/put_.* had the SHA-256"
    ):
        benchmark(replace(done, episodes=episodes, resume=True))
    assert len(ResultsFolder(Path(str(done.output_dir))).rows) == 1


def test_resume_refuses_starts_of_our_own_and_the_other_way_round(done: BenchmarkConfig, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="now of no file"):
        benchmark(replace(done, init_states=None, resume=True))
    own = replace(CONFIG, output_dir=tmp_path / "own")
    assert benchmark(own).complete
    with pytest.raises(UsageError, match="had the SHA-256 of no file"):
        benchmark(replace(own, init_states=done.init_states, resume=True))


def test_workers_refuse_other_states_than_the_plan_has(done: BenchmarkConfig, rows: np.ndarray) -> None:
    plan = make_plan(done)
    write_states(Path(str(done.init_states)), rows + 0.001)
    with pytest.raises(UsageError, match=r"The initial states .* have changed"):
        plan.task_settings.environment(plan.tasks[0])


def test_results_of_an_older_version_can_be_gone_on_with(done: BenchmarkConfig) -> None:
    folder = Path(str(done.output_dir))
    info = BenchmarkInfo.read(folder)
    specs = {task: replace(spec, init_states_sha256="") for task, spec in info.env_specs.items()}
    replace(info, env_specs=specs).write(folder)
    assert benchmark(replace(done, episodes=2, resume=True)).complete
