"""The command `record-episodes`."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from ambidex.command_line import DONE, FAILED, defaults_or_leave, run, say
from ambidex.envs.simulation.opengl import check_environment
from ambidex.recorders.record_config import RecordConfig
from ambidex.recorders.record_flags import defaults_for

COMMAND = "record-episodes"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, record, and leave with an exit code."""
    words = sys.argv[1:] if argv is None else argv
    run(COMMAND, _main, RecordConfig, words, default=defaults_or_leave(COMMAND, defaults_for, words))


def _main(config: RecordConfig) -> int:
    if config.list:
        return _list(config)
    check_environment()
    from ambidex.recorders.record import record, resume_command  # heavy: not for --help

    try:
        summaries = record(config)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{interrupt} Go on with: {resume_command(config)}".strip()) from None
    for summary in summaries:
        if summary.complete and not config.quiet:
            sys.stdout.write(summary.in_words() + "\n")
        if not summary.complete:
            longer = replace(config, max_attempts=2 * summary.attempts)
            say(COMMAND, summary.shortfall(resume_command(longer)))
    return DONE if all(summary.complete for summary in summaries) else FAILED


def _list(config: RecordConfig) -> int:
    from ambidex.recorders.record_task_table import task_table

    sys.stdout.write(task_table(config.task) + "\n")
    return DONE
