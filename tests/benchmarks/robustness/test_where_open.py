"""`--budget N --spend where-open`: which cells get more seeds, on outcomes that are known beforehand."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from results_folder import make_row, write_results

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robustness.amounts import BATCH, WhereOpen
from ambidex.benchmarks.robustness.folder import EXPERT, Cell, RobustnessFolder, RobustnessInfo
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.benchmarks.robustness.suite import run_robustness
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.sequential import SequentialTest
from ambidex.errors import UsageError
from ambidex.flags import flags_to_json

SEED = 100_000
OUTCOMES = {
    "clean": "1" * 60,
    "camera:1": "1" * 60,  # never loses
    "camera:2": "0" * 60,  # always loses
    "camera:3": "10" * 30,  # loses every second one
}
CELLS = [Cell(axis="camera", level=level) for level in (1, 2, 3)]
CONFIG = BenchmarkConfig(
    policy="act",
    suite="robustness",
    task="insertion",
    axes=("camera",),
    levels=(1, 2, 3),
    spend="where-open",
    budget=150,
)


def run_cell(path: Path, name: str, count: int) -> None:
    """What a benchmark of so many seeds stores; every cell takes another time, or it would be taken for a copy."""
    wall_s = 1.0 + list(OUTCOMES).index(name)
    rows = [
        make_row(seed=SEED + i, outcome="success" if each == "1" else "failure", wall_s=wall_s)
        for i, each in enumerate(OUTCOMES[name][:count])
    ]
    write_results(path, rows, videos=False)


def start(path: Path, config: BenchmarkConfig = CONFIG) -> RobustnessFolder:
    RobustnessInfo(command="run-benchmark", config=flags_to_json(config, leave_out=set()), versions={}).write(path)
    folder = RobustnessFolder(path)
    for cell in (Cell(), *CELLS):
        run_cell(folder.results(cell).path, str(cell), BATCH)
    return folder


def steps(folder: RobustnessFolder, config: BenchmarkConfig = CONFIG) -> Iterator[dict[Cell, int]]:
    """The planned episodes after each batch, which is run as the suite does."""
    where_open = WhereOpen(config, folder, CELLS)
    yield dict(where_open.planned)
    while cell := where_open.extend():
        for each in (Cell(), cell):
            if not where_open.is_run(each):
                run_cell(folder.results(each).path, str(each), where_open.planned[each])
        yield dict(where_open.planned)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[RobustnessFolder, list[dict[Cell, int]]]:
    folder = start(tmp_path_factory.mktemp("open"))
    return folder, list(steps(folder))


def test_a_cell_that_is_decided_gets_no_more_seeds(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]],
) -> None:
    """Ten losses in ten pairs have the p value 11 / 2^10, which is below 5 % also after Holm's correction."""
    _, planned = finished
    last = planned[-1]
    assert last[CELLS[1]] == 10
    assert last[CELLS[0]] > 20 and last[CELLS[2]] >= 20
    assert 3 * 11 / 2**10 <= 0.05 < 3 * 6 / 2**5


def test_the_next_batch_goes_to_the_widest_interval_that_is_open(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]],
) -> None:
    _, planned = finished
    for before, after in pairwise(planned):
        pairs = {c: [(a == "1", True) for a in OUTCOMES[str(c)][: before[c]]] for c in CELLS}
        tests = {cell: SequentialTest.of(pairs[cell], alpha=0.05) for cell in CELLS}
        corrected = holm([test.p_value for test in tests.values()])
        widths = {c: t.high - t.low for (c, t), p in zip(tests.items(), corrected, strict=True) if p > 0.05}
        (grown,) = [cell for cell in CELLS if after[cell] > before[cell]]
        assert widths[grown] == max(widths.values())
        assert after[grown] == before[grown] + BATCH


def test_the_budget_is_kept_and_clean_twins_run_for_all_seeds_of_any_cell(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]],
) -> None:
    folder, planned = finished
    assert all(sum(each.values()) <= 150 and each[Cell()] == max(each.values()) for each in planned)
    assert sum(planned[-1].values()) > 150 - 2 * BATCH
    for cell, count in planned[-1].items():
        assert [row.seed for row in folder.results(cell).rows] == list(range(SEED, SEED + count))


@pytest.mark.parametrize("killed_after", [1, 4])
def test_a_run_that_was_killed_makes_the_same_decisions_again(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]], tmp_path: Path, killed_after: int
) -> None:
    folder, planned = start(tmp_path), finished[1]
    for number, each in enumerate(steps(folder)):
        if number == killed_after:
            (grown,) = [cell for cell in CELLS if each[cell] > planned[number - 1][cell]]
            run_cell(folder.results(grown).path, str(grown), each[grown] - 2)  # in the middle of a batch
            break
    assert list(steps(RobustnessFolder(tmp_path))) == planned


def test_a_larger_budget_continues_the_same_sequence(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]], tmp_path: Path
) -> None:
    few = replace(CONFIG, budget=60)
    folder = start(tmp_path, few)
    first = list(steps(folder, few))
    assert first == finished[1][: len(first)] and 1 < len(first) < len(finished[1])
    assert list(steps(folder)) == finished[1]


def test_a_cell_whose_episodes_are_all_infeasible_gets_none(tmp_path: Path) -> None:
    config = replace(CONFIG, axes=("dynamics",), levels=(1,), budget=30)
    RobustnessInfo(command="run-benchmark", config=flags_to_json(config, leave_out=set()), versions={}).write(tmp_path)
    folder, cell = RobustnessFolder(tmp_path), Cell(axis="dynamics", level=1)
    for path in (folder.results(Cell()).path, folder.results(cell).path):
        write_results(path, [make_row(seed=SEED + i) for i in range(BATCH)], videos=False)
    where_open = WhereOpen(config, folder, [cell])
    assert not where_open.is_run(cell)  # the expert has not run
    assert where_open.extend() is None
    rows = [make_row(seed=SEED + i, outcome="failure") for i in range(BATCH)]
    write_results(tmp_path / EXPERT / "dynamics1", rows, videos=False)
    where_open = WhereOpen(config, folder, [cell])
    assert where_open.is_run(cell)
    assert where_open.extend() is None


def test_the_report_has_what_holds_for_any_number_of_pairs(
    finished: tuple[RobustnessFolder, list[dict[Cell, int]]],
) -> None:
    report = RobustnessReport.of(finished[0])
    cell = report.axes[0].by_level[2]
    test = SequentialTest.of([(False, True)] * 10, alpha=0.05)
    assert cell.interval == (test.low, test.high) != cell.statistics.difference_interval
    assert cell.corrected_p == 3 * test.p_value
    assert cell.detectable_drop is None
    text = " ".join(str(report).split())
    assert "numbers of pairs depend on outcomes" in text and "p: exact McNemar" not in text
    assert "exact_p" not in report.to_csv()
    fixed = RobustnessFolder(finished[0].path)
    fixed.__dict__["config"] = replace(CONFIG, spend="evenly")
    plain = RobustnessReport.of(fixed)
    assert plain.axes[0].by_level[2].interval == cell.statistics.difference_interval
    assert "p: exact McNemar" in " ".join(str(plain).split())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"budget": None}, "--spend where-open needs a --budget"),
        ({"spend": "where-closed"}, "where-closed.*Did you mean 'where-open'"),
        ({"protocol": "libero_plus", "task": "libero_goal"}, "does not go with --protocol libero_plus"),
    ],
)
def test_what_it_needs_is_said(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        run_robustness(replace(CONFIG, output_dir=tmp_path / "out", **changes))


def test_the_suite_runs_it_and_a_small_budget_is_refused(tmp_path: Path) -> None:
    short = {"axes": ("action_noise",), "levels": (1,), "horizon": 3, "workers": 0, "quiet": True}
    config = replace(CONFIG, policy="hold", **short)
    with pytest.raises(UsageError, match="--budget 9: 5 episodes of each task, clean and in 1 cells, are 10"):
        run_robustness(replace(config, budget=9, output_dir=tmp_path / "small"))
    folder = run_robustness(replace(config, budget=21, output_dir=tmp_path / "out"))
    assert folder.info.episodes == {"clean": 10, "action_noise:1": 10}
    assert [len(folder.results(cell).rows) for cell in (Cell(), *folder.cells)] == [10, 10]
    assert folder.unfinished() == []
    assert isinstance(folder.results(Cell()), ResultsFolder)
