"""The report of `compare-policies`: as text with folders, tables and verdicts, and as JSON."""

import shlex
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict

from ambidex.benchmarks.comparison.behaviour import behaviour_differences, behaviour_table, path_ratio
from ambidex.benchmarks.comparison.compare import Comparison, model_differences, version_differences
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.comparison.remarks import remarks
from ambidex.benchmarks.results.row import EpisodeKey, format_episodes
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.statistics.summary import ALPHA, PairedStatistics
from ambidex.benchmarks.statistics.text import difference_text, p_text, points_interval
from ambidex.intervals import is_near_an_end
from ambidex.output_folder import versions
from ambidex.text import first_few, text_table

WIDTH = 110
ALL_TASKS = "all tasks"
LEGEND = (
    "All intervals: 95 %, each number on its own; those of all tasks are for these tasks only. "
    "Intervals of rates are Wilson's, near 0 and 100 % the exact ones. "
    "p: exact McNemar test, for a number of episodes fixed in advance; "
    "it decides the verdict, and needs more evidence than an interval does to exclude 0. "
    "Holm: corrected for the other comparisons here. more: where no difference is shown, episodes of each policy still "
    "missing to detect a true difference of {points:g} points with probability {power:g}. e: evidence against equal "
    "policies, valid however often you look (20 is like p = 0.05). docs/statistics.md explains every number."
)


def report(comparisons: Sequence[Comparison], config: CompareConfig) -> str:
    """The whole report; the verdicts come last."""
    parts = [
        _folders_table(_folders(comparisons)),
        *map(_comparison, comparisons),
        _fill(LEGEND.format(points=100 * config.difference, power=config.power)),
        *(_remarks(comparison, config) for comparison in comparisons),
        "\n".join(_fill(str(comparison)) for comparison in comparisons),
    ]
    return "\n\n".join(filter(None, parts))


def _folders(comparisons: Sequence[Comparison]) -> list[ComparedFolder]:
    folders = {side.letter: side for comparison in comparisons for side in (comparison.a, comparison.b)}
    return [folders[letter] for letter in sorted(folders)]


def _folders_table(folders: Sequence[ComparedFolder]) -> str:
    rows = [[f.letter, str(f.results.path), f.policy, str(len(f.rows)), str(f.tally.errors)] for f in folders]
    table = text_table(("", "folder", "policy", "episodes", "errors"), rows)
    return "\n".join([table, *(_fill(note) for folder in folders for note in folder.notes)])


def _comparison(comparison: Comparison) -> str:
    a, b = comparison.a.letter, comparison.b.letter
    parts = [
        f"{a} and {b}: {len(comparison.episodes)} episodes with the same {_paired_by(comparison)}",
        _rates_table(comparison),
        f"If the number of episodes was fixed in advance\n{_tests_table(comparison)}",
        f"If you looked at results during the run\n{_sequential_table(comparison)}",
        behaviour_table(comparison.pairs(), a, b),
        "\n".join(map(_fill, _notes(comparison))),
    ]
    return "\n\n".join(filter(None, parts))


def _robots(comparison: Comparison) -> list[str]:
    return [side.letter for side in (comparison.a, comparison.b) if side.results.of_robot]


def _paired_by(comparison: Comparison) -> str:
    return "seeds" if _robots(comparison) else "initial states"


def _notes(comparison: Comparison) -> list[str]:
    sides = ((comparison.a, comparison.only_in_a), (comparison.b, comparison.only_in_b))
    left_out = [f"Not compared, only in {side.letter}: {format_episodes(keys)}." for side, keys in sides if keys]
    differences = version_differences(comparison.a, comparison.b)
    versions = [f"Versions differ: {'; '.join(differences)}."] if differences else []
    tasks = first_few(model_differences(comparison), separator=", ")
    models = [f"The model of robot, objects or scene is not the same in both: {tasks}."] if tasks else []
    robots = [
        f"Rollouts on a robot: {' and '.join(_robots(comparison))}. Seeds only number them: the tests take it that the "
        "scene was laid out alike for each number."
    ]
    return [*left_out, *versions, *models, *(robots if _robots(comparison) else [])]


def _remarks(comparison: Comparison, config: CompareConfig) -> str:
    text = remarks(comparison, config)
    return _fill(f"{comparison.a.letter} and {comparison.b.letter}: {text}") if text else ""


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _rates_table(comparison: Comparison) -> str:
    a, b = comparison.a, comparison.b
    header = [f"success of {a.letter}", f"success of {b.letter}", "both", f"only {a.letter}", f"only {b.letter}"]

    def cells(statistics: PairedStatistics, task: str | None) -> list[str]:
        counts, tallies = statistics.counts, [comparison.tally(side, task) for side in (a, b)]
        rates = [_rate(tally) for tally in tallies]
        errors = ", ".join(str(tally.errors) for tally in tallies)
        return [*rates, *map(str, (counts.both, counts.only_a, counts.only_b, counts.neither)), errors]

    return _table(comparison, [*header, "neither", f"errors {a.letter}, {b.letter}"], cells)


def _tests_table(comparison: Comparison) -> str:
    letters, several = {"a": comparison.a.letter, "b": comparison.b.letter, "": "not shown"}, _several(comparison)

    def cells(statistics: PairedStatistics, task: str | None) -> list[str]:
        holm = [p_text(statistics.corrected_p)] if several else []
        more = "-" if statistics.better else str(statistics.more_pairs(statistics.pairs_needed))
        p = p_text(statistics.exact_p)
        return [difference_text(statistics), p, *holm, letters[statistics.better], more]

    header = [_difference_header(comparison), "p", *(["p, Holm"] if several else []), "better", "more"]
    return _table(comparison, header, cells)


def _sequential_table(comparison: Comparison) -> str:
    several = _several(comparison)

    def cells(statistics: PairedStatistics, task: str | None) -> list[str]:
        test = statistics.sequential
        largest = f"{test.largest_e_value:.3g} after {test.largest_after}"
        holm = [p_text(statistics.corrected_anytime_p)] if several else []
        return [points_interval(test.low, test.high), f"{test.e_value:.3g}", largest, p_text(test.p_value), *holm]

    header = [_difference_header(comparison), "e", "largest e", "p", *(["p, Holm"] if several else [])]
    return _table(comparison, header, cells)


def _table(
    comparison: Comparison, header: Sequence[str], cells: Callable[[PairedStatistics, str | None], list[str]]
) -> str:
    """A line for each task, and one for all of them (`cells` gets None) if there are several."""
    rows = [[task, *cells(statistics, task)] for task, statistics in comparison.tasks.items()]
    if len(rows) > 1:
        rows.append([ALL_TASKS, *cells(comparison.together, None)])
    return text_table(("task", *header), rows)


def _several(comparison: Comparison) -> bool:
    """Several tests are corrected together."""
    return any(statistics.tests > 1 for statistics in comparison.tasks.values())


def _difference_header(comparison: Comparison) -> str:
    return f"{comparison.a.letter} minus {comparison.b.letter} [points]"


def _rate(tally: Tally) -> str:
    rate = f"{tally.successes}/{tally.n} = {100 * tally.successes / tally.n:.1f} %"
    if is_near_an_end(tally.successes, tally.n):
        return rate + " [{:.2f}, {:.2f}] exact".format(*(100 * end for end in tally.exact_interval))
    return rate + " [{:.1f}, {:.1f}]".format(*(100 * end for end in tally.interval))


def to_json(comparisons: Sequence[Comparison], config: CompareConfig) -> dict[str, object]:
    """Everything in the text report, and more; rates and differences as fractions."""
    return {
        "command": _command(config),
        "versions": versions(),
        "alpha": ALPHA,
        "difference": config.difference,
        "power": config.power,
        "folders": [_folder_json(folder) for folder in _folders(comparisons)],
        "comparisons": [_comparison_json(comparison, config) for comparison in comparisons],
    }


def _command(config: CompareConfig) -> str:
    flags = ("--difference", str(config.difference), "--power", str(config.power))
    return shlex.join(["compare-policies", *map(str, config.results), *flags])


def _folder_json(folder: ComparedFolder) -> dict[str, object]:
    return {
        "letter": folder.letter,
        "path": str(folder.results.path),
        "policy": folder.policy,
        "episodes": len(folder.rows),
        "errors": folder.tally.errors,
        "finished": not folder.unfinished,
        "notes": folder.notes,
        "versions": folder.versions,
    }


def _comparison_json(comparison: Comparison, config: CompareConfig) -> dict[str, object]:
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
            "behaviour": [asdict(each) for each in behaviour_differences(comparison.pairs(task))],
            "path_ratio": None if (ratio := path_ratio(comparison.pairs(task))) is None else asdict(ratio),
        }

    return {
        "a": a.letter,
        "b": b.letter,
        "verdict": str(comparison),
        "remarks": remarks(comparison, config),
        "together": group(comparison.together, None),
        "tasks": {task: group(statistics, task) for task, statistics in comparison.tasks.items()},
        "episodes": _by_task(comparison.episodes),
        "only_in_a": _by_task(comparison.only_in_a),
        "only_in_b": _by_task(comparison.only_in_b),
        "version_differences": version_differences(a, b),
        "model_differences": model_differences(comparison),
    }


def _by_task(keys: Sequence[EpisodeKey]) -> dict[str, list[int]]:
    return {task: sorted(seed for name, seed in keys if name == task) for task in sorted({task for task, _ in keys})}
