"""`--suite robustness --protocol libero_plus`: numbers of episodes, cells, and success as LIBERO-plus counts it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ambidex.benchmarks import verify_results
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.robustness.amounts import episodes_of_cells
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder, cells_of
from ambidex.benchmarks.robustness.libero_plus import AXIS_OF, CATEGORIES, FULL, SUITES
from ambidex.benchmarks.robustness.plot import write_files
from ambidex.benchmarks.robustness.pooled import PooledSuccess
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.benchmarks.robustness.suite import run_robustness
from ambidex.envs.perturbations.registry import AXES
from ambidex.errors import UsageError

PRESET = BenchmarkConfig(
    policy="libero_plus_agent:still", suite="robustness", protocol="libero_plus", task="libero_goal", quiet=True
)
MODULE = """
import numpy as np

def still(observation):
    observation.image("agentview")
    return np.zeros(7, np.float32)
"""


def episodes(suite: str, each: int | None = None, budget: int | None = None) -> dict[Cell, int]:
    config = replace(PRESET, task=suite, episodes=each, budget=budget)
    return episodes_of_cells(config, cells_of(config), tasks=10)


def perturbed(numbers: dict[Cell, int]) -> dict[str, int]:
    """Axis of LIBERO-plus -> episodes of each task."""
    counts: Counter[str] = Counter()
    for cell, count in numbers.items():
        if cell != Cell():
            counts[AXIS_OF[cell.axis].name] += count
    return dict(counts)


def test_the_counts_are_those_of_the_10030_variants() -> None:
    sums = {suite: sum(c.variants[i] for c in CATEGORIES) for i, suite in enumerate(SUITES)}
    assert sums == {"libero_spatial": 2402, "libero_object": 2518, "libero_goal": 2591, "libero_10": 2519}
    assert set(AXIS_OF) <= set(AXES)


@pytest.mark.parametrize("suite", SUITES)
def test_by_default_each_axis_has_as_many_episodes_as_variants(suite: str) -> None:
    found = perturbed(episodes(suite))
    for category in CATEGORIES:
        variants = category.variants[SUITES.index(suite)]
        assert abs(10 * found[category.name] - variants * FULL / (10030 / 280)) <= 10  # whole episodes of ten tasks
    assert abs(10 * sum(found.values()) - sum(c.variants[SUITES.index(suite)] for c in CATEGORIES)) < 40


def test_levels_of_what_stands_in_are_equally_frequent_and_the_middle_ones_come_first() -> None:
    assert {cell.level: n for cell, n in episodes("libero_goal", 20).items() if cell.axis == "light"} == {
        1: 3,
        2: 3,
        3: 4,
        4: 3,
        5: 3,
    }
    assert [cell for cell, n in episodes("libero_goal", 1).items() if n and cell.axis == "light"] == [
        Cell(axis="light", level=3)
    ]
    assert [cell.level for cell in episodes("libero_goal") if cell.axis in ("camera", "robot_start", "sensor")] == [
        "libero_plus"
    ] * 3


def test_every_perturbed_episode_has_a_clean_twin_and_the_budget_is_kept() -> None:
    for budget in (300, 1000, 3000):
        found = episodes("libero_10", budget=budget)
        assert found[Cell()] == max(found.values())
        assert budget - 90 < 10 * sum(found.values()) <= budget
    with pytest.raises(UsageError, match="--budget 69: one episode"):
        episodes("libero_10", budget=69)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"task": "libero_90"}, "no variants of libero_90, only of libero_spatial, libero_object"),
        ({"task": "transfer_cube"}, "no variants of transfer_cube"),
        ({"task": "libero_goal/mine.bddl"}, "no variants of"),
        ({"levels": (3,)}, "--levels 3 does not go with"),
        ({"axes": ("lag",)}, "Unknown axis of --protocol libero_plus 'lag'"),
        ({"episodes": 0}, "--episodes 0"),
        ({"protocol": "libero_plos"}, "Unknown protocol"),
    ],
)
def test_what_it_does_not_cover_is_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        run_robustness(replace(PRESET, output_dir=tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


def test_it_is_refused_without_the_suite() -> None:
    with pytest.raises(UsageError, match="--protocol libero_plus: only with --suite robustness"):
        benchmark(replace(PRESET, policy="hold", suite=None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RobustnessFolder:
    """Two axes whose episodes are 2 and 2 of one task; the agent never moves."""
    place = tmp_path_factory.mktemp("plus")
    (place / "libero_plus_agent.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        few = {"task": "libero_goal/1", "axes": ("sensor", "light"), "episodes": 2, "horizon": 3, "settle_steps": 1}
        return run_robustness(replace(PRESET, workers=0, output_dir=place / "out", **few))


def test_its_cells_are_results_by_openvlas_protocol_with_the_counts(folder: RobustnessFolder) -> None:
    assert folder.info.episodes == {
        "clean": 2,
        "light:1": 0,
        "light:2": 1,
        "light:3": 1,
        "light:4": 0,
        "light:5": 0,
        "sensor:libero_plus": 2,
    }
    results = folder.results(Cell(axis="sensor", level="libero_plus"))
    assert results.path.name == "sensor-libero_plus"
    assert [row.seed for row in results.rows] == [100000, 100001]
    assert all(row.perturbed["sensor"]["severity"] in range(1, 11) for row in results.rows)
    assert results.info.protocol.startswith("openvla, but --perturb sensor:libero_plus")
    assert [row.seed for row in folder.results(Cell(axis="light", level=3)).rows] == [100000]
    assert not folder.results(Cell(axis="light", level=5)).exists
    assert folder.unfinished() == []


def test_its_cells_are_played_back(
    folder: RobustnessFolder, run_command: Callable[..., tuple[object, str, str]]
) -> None:
    path = folder.results(Cell(axis="sensor", level="libero_plus")).path
    status, out, _ = run_command(verify_results.main, path, "--workers", 0)
    assert (status, "2 of 2 episodes" in out) == (0, True)


def test_a_missing_episode_is_noticed(folder: RobustnessFolder, tmp_path: Path) -> None:
    more = replace(folder.info, episodes={**folder.info.episodes, "light:5": 1})
    more.write(folder.path)
    try:
        assert RobustnessFolder(folder.path).unfinished() == [Cell(axis="light", level=5)]
    finally:
        folder.info.write(folder.path)


def test_the_report_names_pooled_rate_and_macro_mean_and_what_they_are_not(
    folder: RobustnessFolder, tmp_path: Path
) -> None:
    report = RobustnessReport.of(folder)
    text = " ".join(str(report).split())
    assert "Sensor Noise sensor 0/2 = 0.0 379" in text
    assert "Objects Layout distractors, layout not run 425" in text
    assert "pooled 2 of 7 0/4 = 0.0 658" in text
    assert "macro mean 2 of 7 0.0" in text
    assert "not comparable with its table" in text
    assert "macro mean" in report.markdown()
    write_files(report, [report], tmp_path)
    stored = json.loads((tmp_path / "report.json").read_text())["libero_plus"]
    assert (stored["pooled_rate"], stored["macro_mean"], stored["episodes"]) == (0.0, 0.0, 4)


def test_pooled_rate_and_macro_mean_differ_with_the_number_of_episodes(folder: RobustnessFolder) -> None:
    pooled = PooledSuccess.of([], "libero_goal")
    assert (pooled.rate, pooled.macro_mean, pooled.rows()[-1][2]) == (None, None, "none")
    first, second, *others = pooled.axes
    axes = (replace(first, successes=3, episodes=4), replace(second, successes=0, episodes=1), *others)
    assert (PooledSuccess(axes=axes).rate, PooledSuccess(axes=axes).macro_mean) == (3 / 5, (3 / 4 + 0) / 2)
