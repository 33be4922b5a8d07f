"""The command `record-episodes`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from ambidex.command_line import DONE, FAILED, defaults_or_exit, peek_flags, print_message, run
from ambidex.envs.registry import FAMILIES, SUITES, find_task, tasks_named
from ambidex.envs.simulation.opengl import check_environment
from ambidex.envs.tasks.libero.suites import find_definition, is_libero_name
from ambidex.flags import OptionalInt, OptionalPath, Switch
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.recording.config import RecordConfig
from ambidex.text import text_table

COMMAND = "record-episodes"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, record, and leave with an exit code."""
    words = sys.argv[1:] if argv is None else argv
    run(COMMAND, _main, RecordConfig, words, default=defaults_or_exit(COMMAND, defaults_for, words))


def _main(config: RecordConfig) -> int:
    if config.list:
        return _list(config)
    check_environment()
    from ambidex.recorders.recording.record import record, resume_command  # heavy: not for --help

    try:
        summaries = record(config)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{interrupt} Go on with: {resume_command(config)}".strip()) from None
    for summary in summaries:
        if summary.complete and not config.quiet:
            sys.stdout.write(summary.in_words() + "\n")
        if not summary.complete:
            longer = replace(config, max_attempts=2 * summary.attempts)
            print_message(COMMAND, summary.shortfall(resume_command(longer)))
    return DONE if all(summary.complete for summary in summaries) else FAILED


def _list(config: RecordConfig) -> int:

    sys.stdout.write(task_table(config.task) + "\n")
    return DONE


# FOLDED recorders.record_flags: The defaults of `record-episodes`: those of the dataset to go on with, where no task is named.


@dataclass(frozen=True, kw_only=True)
class _DecidingFlags:
    resume: Switch = False
    output_dir: OptionalPath = None
    task: str = ""
    bddl_file: OptionalPath = None
    num_episodes: OptionalInt = None


def defaults_for(words: Sequence[str]) -> RecordConfig | None:
    """What flags are that are not given; None for the defaults of the command.

    With --resume and without a task they are those with which the dataset in --output-dir was recorded. Where more
    episodes are wanted than then, there may be as many attempts as that takes.

    Raises:
        UsageError: The dataset was not made by record-episodes.
        DatasetError: Its dataset.json is damaged, or of another version.
    """
    known = peek_flags(words, _DecidingFlags)
    folder = known.output_dir
    if not known.resume or known.task or known.bddl_file or folder is None or not (folder / DATASET_JSON).is_file():
        return None
    stored = DatasetInfo.read(folder).settings(COMMAND, RecordConfig)
    return stored if known.num_episodes is None else replace(stored, max_attempts=None)


# FOLDED recorders.record_task_table: What `record-episodes --list` prints: the suites, or the tasks of one.

FEW = 3  # tasks that are named beside their suite
SUITE_HEADER = ("suite", "tasks", "steps", "cameras", "names")
TASK_HEADER = ("task", "short", "steps", "instruction")
HINT = "`record-episodes --list --task SUITE` prints the tasks of a suite with their instructions."


def task_table(name: str) -> str:
    """The tasks of a suite or a task alone, one line each; the suites, if no name is given.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    if name:
        return text_table(TASK_HEADER, [_task_row(task) for task in tasks_named(name)])
    return text_table(SUITE_HEADER, [_suite_row(suite) for suite in SUITES]) + f"\n\n{HINT}"


def _suite_row(suite: str) -> tuple[str, ...]:
    names = SUITES[suite]
    family, horizon, _ = _facts(names[0])
    shown = ", ".join(names) if len(names) <= FEW else f"{suite}/0 to {suite}/{len(names) - 1}"
    return suite, str(len(names)), str(horizon), " ".join(FAMILIES[family].cameras), shown


def _task_row(name: str) -> tuple[str, ...]:
    _, horizon, instruction = _facts(name)
    return name, _short(name), str(horizon), instruction


def _short(name: str) -> str:
    """The name by number, where there is one."""
    if not is_libero_name(name):
        return ""
    definition = find_definition(name)
    return f"{definition.suite}/{definition.index}" if definition.suite else ""


def _facts(name: str) -> tuple[str, int, str]:
    """Family, control steps and instruction of a task; definition files are not read for that."""
    if is_libero_name(name):
        definition = find_definition(name)
        return "libero", definition.horizon, definition.instruction
    task = find_task(name)
    return task.family, task.horizon, task.instruction
