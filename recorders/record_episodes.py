"""The command `record-episodes`: its defaults when resuming, and the table that --list prints."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from ambidex.command_line import DONE, FAILED, defaults_or_exit, peek_flags, print_message, print_result, run
from ambidex.envs.registry import FAMILIES, SUITES, find_task, tasks_named
from ambidex.envs.simulation.opengl import check_environment
from ambidex.envs.tasks.libero.suites import find_definition, is_libero_name
from ambidex.flags import OptionalInt, OptionalPath, Switch
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.recording.config import RecordConfig
from ambidex.text import text_table

COMMAND = "record-episodes"
FEW = 3  # tasks of a suite that are listed by name
SUITE_HEADER = ("suite", "tasks", "steps", "cameras", "names")
TASK_HEADER = ("task", "short", "steps", "instruction")
HINT = "`record-episodes --list --task SUITE` prints the tasks of a suite with their instructions."


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, record, and exit."""
    argv = sys.argv[1:] if argv is None else argv
    run(COMMAND, _main, RecordConfig, argv, default=defaults_or_exit(COMMAND, defaults_for, argv))


def _main(config: RecordConfig) -> int:
    if config.list:
        print_result(task_table(config.task))
        return DONE
    check_environment()
    from ambidex.recorders.recording.record import record, resume_command  # heavy: not for --help

    try:
        summaries = record(config)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{interrupt} Resume with: {resume_command(config)}".strip()) from None
    for summary in summaries:
        if summary.complete and not config.quiet:
            print_result(summary)
        if not summary.complete:
            longer = replace(config, max_attempts=2 * summary.attempts)
            print_message(COMMAND, summary.shortfall(resume_command(longer)))
    return DONE if all(summary.complete for summary in summaries) else FAILED


@dataclass(frozen=True, kw_only=True)
class _DecidingFlags:
    resume: Switch = False
    output_dir: OptionalPath = None
    task: str = ""
    bddl_file: OptionalPath = None
    num_episodes: OptionalInt = None


def defaults_for(argv: Sequence[str]) -> RecordConfig | None:
    """The defaults of flags that are not given; None for those of the command.

    With --resume and without a task they are the flags with which the dataset in --output-dir was recorded. If
    --num-episodes is given, the limit of attempts is the default for that number.

    Raises:
        UsageError: The dataset was not made by record-episodes.
        DatasetError: Its dataset.json is damaged, or of another version.
    """
    given = peek_flags(argv, _DecidingFlags)
    folder = given.output_dir
    if not given.resume or given.task or given.bddl_file or folder is None or not (folder / DATASET_JSON).is_file():
        return None
    stored = DatasetInfo.read(folder).settings(COMMAND, RecordConfig)
    return stored if given.num_episodes is None else replace(stored, max_attempts=None)


def task_table(name: str) -> str:
    """A table of the tasks of a suite, or of one task; of all suites, if no name is given.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    if name:
        return text_table(TASK_HEADER, [_task_row(task) for task in tasks_named(name)])
    return text_table(SUITE_HEADER, [_suite_row(suite) for suite in SUITES]) + f"\n\n{HINT}"


def _suite_row(suite: str) -> tuple[str, ...]:
    names = SUITES[suite]
    family, first, _ = _facts(names[0])
    steps = {_facts(name)[1] for name in names} if family == "aloha" else {first}
    listed = ", ".join(names)
    if len(names) > FEW:
        numbered = is_libero_name(names[0])
        listed = f"{suite}/0 to {suite}/{len(names) - 1}" if numbered else f"{names[0]}, ..., {names[-1]}"
    return (
        suite,
        str(len(names)),
        " to ".join(map(str, dict.fromkeys([min(steps), max(steps)]))),
        " ".join(FAMILIES[family].cameras),
        listed,
    )


def _task_row(name: str) -> tuple[str, ...]:
    _, horizon, instruction = _facts(name)
    return name, _short_name(name), str(horizon), instruction


def _short_name(name: str) -> str:
    """SUITE/NUMBER, for tasks that have one."""
    if not is_libero_name(name):
        return ""
    definition = find_definition(name)
    return f"{definition.suite}/{definition.index}" if definition.suite else ""


def _facts(name: str) -> tuple[str, int, str]:
    """Family, horizon and instruction of a task; definition files are not read for that."""
    if is_libero_name(name):
        definition = find_definition(name)
        return "libero", definition.horizon, definition.instruction
    task = find_task(name)
    return task.family, task.horizon, task.instruction
