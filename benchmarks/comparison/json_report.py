"""The report of `compare-policies` as JSON."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict

from ambidex.benchmarks.comparison.comparison import Comparison, version_differences
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.comparison.verdict import remarks, verdict
from ambidex.benchmarks.results.row import EpisodeKey
from ambidex.benchmarks.statistics.summary import ALPHA, PairedStatistics
from ambidex.output_folder import versions


def to_json(comparisons: Sequence[Comparison], config: CompareConfig) -> dict[str, object]:
    """Everything in the text report, and more; rates and differences as fractions."""
    folders = {side.letter: side for comparison in comparisons for side in (comparison.a, comparison.b)}
    return {
        "command": _command(config),
        "versions": versions(),
        "alpha": ALPHA,
        "difference": config.difference,
        "power": config.power,
        "folders": [_folder(folders[letter]) for letter in sorted(folders)],
        "comparisons": [_comparison(comparison, config) for comparison in comparisons],
    }


def _command(config: CompareConfig) -> str:
    flags = ("--difference", str(config.difference), "--power", str(config.power))
    return shlex.join(["compare-policies", *map(str, config.results), *flags])


def _folder(folder: ComparedFolder) -> dict[str, object]:
    return {
        "letter": folder.letter,
        "path": str(folder.path),
        "policy": folder.policy,
        "episodes": len(folder.rows),
        "errors": folder.tally.errors,
        "finished": folder.finished,
        "notes": folder.notes,
        "versions": folder.versions,
    }


def _comparison(comparison: Comparison, config: CompareConfig) -> dict[str, object]:
    a, b = comparison.a, comparison.b
    better = {"a": a.letter, "b": b.letter, "": None}

    def group(statistics: PairedStatistics, task: str | None) -> dict[str, object]:
        counts = statistics.counts
        return asdict(statistics) | {
            "pairs": counts.pairs,
            "rate_a": counts.successes_a / counts.pairs,
            "rate_b": counts.successes_b / counts.pairs,
            "difference": counts.difference,
            "errors_a": comparison.tally(a, task).errors,
            "errors_b": comparison.tally(b, task).errors,
            "better": better[statistics.better],
            "more_pairs": statistics.more_pairs(statistics.pairs_needed),
        }

    return {
        "a": a.letter,
        "b": b.letter,
        "verdict": verdict(comparison),
        "remarks": remarks(comparison, config),
        "together": group(comparison.together, None),
        "tasks": {task: group(statistics, task) for task, statistics in comparison.tasks.items()},
        "episodes": _by_task(comparison.episodes),
        "only_in_a": _by_task(comparison.only_in_a),
        "only_in_b": _by_task(comparison.only_in_b),
        "version_differences": version_differences(a, b),
    }


def _by_task(keys: Sequence[EpisodeKey]) -> dict[str, list[int]]:
    return {task: sorted(seed for name, seed in keys if name == task) for task in sorted({task for task, _ in keys})}
