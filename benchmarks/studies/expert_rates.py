"""Success rates of the scripted experts: `python -m ambidex.benchmarks.studies.expert_rates`.

Strict success over consecutive seeds, without rendering. The table lists every failed seed, for reproduction.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro

from ambidex.atomic_files import write_json
from ambidex.command_line import run
from ambidex.envs.env import Environment, make
from ambidex.envs.registry import FAMILIES, tasks_named
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent, Outcome
from ambidex.intervals import format_rate
from ambidex.output_folder import versions
from ambidex.progress import Progress
from ambidex.scripted_policies.registry import make_expert
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

HEADER = (
    "| task | spread | strict success | last stage for good at step, median / latest | failed seeds |",
    "|---|---|---|---|---|",
)


@dataclass(frozen=True, kw_only=True)
class ExpertRatesConfig:
    """Strict success of the scripted experts over consecutive seeds."""

    task: str = "aloha"
    """A task or a suite."""
    spread: tuple[str, ...] = ("published", "wide")
    """Reset distributions to try."""
    control: str | None = None
    """Control mode: joint or ee; the family's when absent."""
    num_seeds: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 1000
    """Seeds per task and spread."""
    seed: int = 0
    """First seed."""
    noise: float = 0.0
    """Noise of the expert, 0 to 1."""
    workers: int | None = None
    """Worker processes; auto when absent."""
    output: Path = Path("results/expert_rates.json")
    """JSON file with every episode."""
    quiet: bool = False
    """Print only the table."""
    debug: bool = False
    """Show tracebacks."""


class Trial(NamedTuple):
    """One episode to run."""

    task: str
    spread: str
    control: str | None
    noise: float
    seed: int


class TrialResult(NamedTuple):
    """Result of a trial; `solved_at` is the step from which the last stage holds to the end, -1 without success."""

    outcome: str
    stage: int
    reason: str
    solved_at: int
    steps: int


def make_handler() -> Callable[[Trial], TrialResult]:
    """A handler that reuses its environment for the trials of a task, which come one after the other."""

    @lru_cache(maxsize=1)
    def runner(task: str, spread: str, control: str | None, noise: float) -> Callable[[int], TrialResult]:
        env = make(task, spread=spread, control=control, cameras=())
        return partial(_run, env=env, expert=make_expert(env, noise=noise))

    return lambda trial: runner(*trial[:-1])(trial.seed)


def _run(seed: int, *, env: Environment, expert: Agent) -> TrialResult:
    result = rollout(env, expert, seed, stop_at_success=FAMILIES[env.spec.family].stops_at_success)
    final = len(result.spec.stages) - 1
    below = np.flatnonzero(result.stages < final)
    solved_at = int(below[-1]) + 1 if result.success and len(below) else -1
    return TrialResult(result.outcome.value, result.stage, result.reason, solved_at, result.steps)


def main(config: ExpertRatesConfig) -> None:
    """Run all trials, print the table and write the file."""
    groups = list(product(tasks_named(config.task), config.spread))
    trials = [
        Trial(task, spread, config.control, config.noise, config.seed + i)
        for (task, spread), i in product(groups, range(config.num_seeds))
    ]
    results = _all_results(trials, config)
    rows = [
        _row(task, spread, {t: r for t, r in results.items() if (t.task, t.spread) == (task, spread)})
        for task, spread in groups
    ]
    print("\n".join([*HEADER, *rows, *_totals(results, config)]))
    episodes = [trial._asdict() | results[trial]._asdict() for trial in trials]
    write_json(config.output, {"versions": versions(), "episodes": episodes})


def _all_results(trials: list[Trial], config: ExpertRatesConfig) -> dict[Trial, TrialResult]:
    results: dict[Trial, TrialResult] = {}
    workers = worker_count(config.workers, len(trials))
    with Pool(make_handler, workers) as pool, Progress("trials", len(trials), quiet=config.quiet) as progress:
        for trial, result in pool.results(trials):
            if isinstance(result, WorkerError):
                result = TrialResult(Outcome.ERROR.value, 0, result.message, -1, 0)
            results[trial] = result
            successes = sum(r.outcome == Outcome.SUCCESS.value for r in results.values())
            progress.update(len(results), successes, len(results))
    return results


def _row(task: str, spread: str, results: dict[Trial, TrialResult]) -> str:
    solved = [r.solved_at for r in results.values() if r.outcome == Outcome.SUCCESS.value]
    failed = sorted(t.seed for t, r in results.items() if r.outcome != Outcome.SUCCESS.value)
    when = f"{np.median(solved):.0f} / {max(solved)}" if solved else "never"
    return f"| {task} | {spread} | {format_rate(len(solved), len(results))} | {when} | {json.dumps(failed)} |"


def _totals(results: dict[Trial, TrialResult], config: ExpertRatesConfig) -> Iterator[str]:
    """A row per spread for all tasks together, if there are several."""
    for spread in config.spread:
        outcomes = [r.outcome for t, r in results.items() if t.spread == spread]
        if len(outcomes) > config.num_seeds:  # several tasks
            rate = format_rate(outcomes.count(Outcome.SUCCESS.value), len(outcomes))
            yield f"| all of {config.task} | {spread} | {rate} | | |"


if __name__ == "__main__":
    run("expert-rates", main, ExpertRatesConfig)
