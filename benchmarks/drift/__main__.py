"""Whether tasks behave as under other versions of MuJoCo: `python -m ambidex.benchmarks.drift`.

Compares models, initial states and motions of this machine with a table that has them for other versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ambidex.benchmarks.drift.comparison import DriftReport
from ambidex.benchmarks.drift.fingerprint import TaskFingerprint, make_handler, mujoco_version
from ambidex.benchmarks.drift.table import TABLE, DriftTable
from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.registry import tasks_named
from ambidex.envs.tasks.libero import suites
from ambidex.errors import UsageError
from ambidex.flags import OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.progress import Progress
from ambidex.text import first_line, pluralize
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

COMMAND = "drift"


@dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """Name the tasks whose model, initial states or physics differ from those of another version of MuJoCo.

    The exit status is 1 if a task has moved.
    """

    task: tuple[str, ...] = ("aloha_bimanual", *suites.HORIZONS)
    """Tasks and suites."""
    against: OptionalName = None
    """Version of MuJoCo in the table to compare with; auto is the installed one, else the one that was added last."""
    success: int = 0
    """Let the expert try this many seeds of the tasks that have moved; with --update, of all tasks."""
    update: Switch = False
    """Store what is found in the column of the installed version."""
    table: OptionalPath = None
    """The table, a JSON file; auto is the one that comes with ambidex."""
    workers: OptionalInt = None
    """Worker processes; auto is one per CPU."""
    quiet: Switch = False
    """Print only the result."""
    debug: Switch = False
    """Show tracebacks."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Fingerprints of this machine, and of tasks that have none, why."""

    tasks: dict[str, TaskFingerprint]
    failed: dict[str, str]


def main(config: DriftConfig) -> int:
    """Compare, print what differs, and store it if that is asked for."""
    _check(config)
    path, installed = config.table or TABLE, mujoco_version()
    names = tuple(dict.fromkeys(task for name in config.task for task in tasks_named(name)))
    table = DriftTable() if config.update and not path.exists() else DriftTable.read(path)
    before = table.version_to_compare(installed, config.against)
    found = _compute(names, config.success if config.update else 0, config)
    report = DriftReport.of(before, installed, table.column(before or ""), found.tasks, found.failed)
    if config.success and not config.update and report.moved:
        again = _compute([drift.task for drift in report.moved], config.success, config)
        report = report.with_experts(again.tasks)
    print_result(report)
    if config.update:
        table.updated(installed, found.tasks).write(path)
        print_message(COMMAND, f"{pluralize(len(found.tasks), 'task')} stored in {path} for MuJoCo {installed}.")
    elif installed not in table.mujoco_versions:
        print_message(COMMAND, f"{path} does not have MuJoCo {installed}, which is installed. --update adds it.")
    return FAILED if found.failed or (report.moved and not config.update) else DONE


def _check(config: DriftConfig) -> None:
    if not config.task:
        raise UsageError("--task: expected a task or a suite.", field="task")
    if config.success < 0:
        raise UsageError(f"--success {config.success}: expected 0 or more.", field="success", got=config.success)


def _compute(tasks: Sequence[str], expert_seeds: int, config: DriftConfig) -> Found:
    found = Found(tasks={}, failed={})
    workers = worker_count(config.workers, len(tasks))
    factory = partial(make_handler, expert_seeds)
    with Pool(factory, workers) as pool, Progress("tasks", len(tasks), quiet=config.quiet, unit="task") as bar:
        for task, result in pool.results(tasks):
            if isinstance(result, WorkerError):
                found.failed[task] = first_line(result.message)
            else:
                found.tasks[task] = result
            bar.update(len(found.tasks) + len(found.failed))
    return found


if __name__ == "__main__":
    run(COMMAND, main, DriftConfig)
