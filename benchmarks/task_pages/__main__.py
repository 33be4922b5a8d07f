"""Writes the pages of task suites for the documentation: `python -m ambidex.benchmarks.task_pages`.

A page has for each task of a suite its picture, pictures of the expert, stages, conditions of success, ranges of
initial poses, and the expert's rates. All is read from the registry; the rates, from rates.json beside the pages, which
takes those of --rates, files of `python -m ambidex.benchmarks.studies.expert_rates`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ambidex.atomic_files import write_json
from ambidex.command_line import print_message, run
from ambidex.envs.registry import SUITES
from ambidex.envs.types import Outcome
from ambidex.errors import check_name

RATES_JSON = "rates.json"


@dataclass(frozen=True, kw_only=True)
class TaskPagesConfig:
    """Pages about the tasks of suites, for the documentation."""

    suite: tuple[str, ...] = ("aloha_bimanual",)
    """Suites to write a page of."""
    output_dir: Path = Path("docs/tasks")
    """Folder of the pages."""
    rates: tuple[Path, ...] = ()
    """Files of the program expert_rates, whose rates replace those of the same task and spread."""
    pictures: bool = True
    """Render the pictures anew; without, those that exist are used."""
    debug: bool = False
    """Show tracebacks."""


def main(config: TaskPagesConfig) -> None:
    """Write the pages."""
    from ambidex.benchmarks.task_pages.pictures import draw_task, pictures_of  # the simulator: not for --help
    from ambidex.benchmarks.task_pages.text import suite_page

    for suite in config.suite:
        check_name("suite", suite, SUITES)
    rates = _updated_rates(config)
    for suite in config.suite:
        draw = draw_task if config.pictures else pictures_of
        pictures = {task: draw(task, config.output_dir) for task in SUITES[suite]}
        path = config.output_dir / f"{suite}.md"
        path.write_text(suite_page(suite, pictures, rates), "utf-8")
        print_message("task-pages", f"{path}: {len(pictures)} tasks.")


def _updated_rates(config: TaskPagesConfig) -> dict[str, dict[str, tuple[int, int]]]:
    """Those in `RATES_JSON`, and those of the given files, which are stored there."""
    path = config.output_dir / RATES_JSON
    rates = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for file in config.rates:
        for (task, spread), counts in _counts(json.loads(file.read_text("utf-8"))["episodes"]).items():
            rates.setdefault(task, {})[spread] = counts
    if config.rates:
        write_json(path, {task: rates[task] for task in sorted(rates)})
    return {task: {spread: tuple(counts) for spread, counts in of.items()} for task, of in rates.items()}


def _counts(episodes: Sequence[dict[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    every = Counter((episode["task"], episode["spread"]) for episode in episodes)
    solved = Counter((e["task"], e["spread"]) for e in episodes if e["outcome"] == Outcome.SUCCESS.value)
    return {key: (solved[key], count) for key, count in every.items()}


if __name__ == "__main__":
    run("task-pages", main, TaskPagesConfig)
