"""Compares every two of several results folders; `compare` is what `compare-policies` does, from Python."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import comb
from pathlib import Path
from string import ascii_uppercase

from ambidex.benchmarks.comparison.comparison import Comparison
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.errors import UsageError


def compare(config: CompareConfig) -> list[Comparison]:
    """Compare every two folders, in the order given.

    Holm's correction covers all comparisons of all tasks together, and separately those of single tasks.

    Raises:
        UsageError: Fewer than two folders, the same folder twice, or a number out of range.
        DatasetError: A folder is missing or damaged, or two have different settings or initial states.
    """
    _check(config)
    folders = [ComparedFolder.read(letter, path) for letter, path in zip(ascii_uppercase, config.results, strict=False)]
    pairs = comb(len(folders), 2)
    comparisons = [
        Comparison.of(a, b, difference=config.difference, power=config.power, pairs=pairs)
        for a, b in combinations(folders, 2)
    ]
    together = _corrected([comparison.together for comparison in comparisons])
    single = iter(_corrected([task for comparison in comparisons for task in comparison.tasks.values()]))
    return [
        replace(comparison, together=overall, tasks={name: next(single) for name in comparison.tasks})
        for comparison, overall in zip(comparisons, together, strict=True)
    ]


def _corrected(tests: Sequence[PairedStatistics]) -> list[PairedStatistics]:
    ps, anytime = holm([test.exact_p for test in tests]), holm([test.sequential.p_value for test in tests])
    return [test.corrected(p=p, anytime_p=any_p) for test, p, any_p in zip(tests, ps, anytime, strict=True)]


def _check(config: CompareConfig) -> None:
    folders = config.results
    if not 2 <= len(folders) <= len(ascii_uppercase):
        given = ", ".join(map(str, folders)) if len(folders) < 2 else str(len(folders))
        raise UsageError(
            f"Expected 2 to {len(ascii_uppercase)} results folders, got {given or 'none'}.",
            "Name them, e.g. results/act results/scripted.",
            got=folders,
        )
    _check_different(folders)
    if not 0.01 <= config.difference <= 1:
        problem = f"--difference {config.difference}: expected 0.01 to 1; 0.1 is 10 points."
        raise UsageError(problem, field="difference", got=config.difference)
    if not 0.5 <= config.power <= 0.99:
        raise UsageError(f"--power {config.power}: expected 0.5 to 0.99.", field="power", got=config.power)


def _check_different(folders: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for folder in folders:
        resolved = folder.resolve()
        if resolved in seen:
            problem = f"{seen[resolved]} and {folder} are the same folder."
            raise UsageError(problem, "Give folders of different runs.", path=folder)
        seen[resolved] = folder
