"""The command `train-policy`."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ambidex.command_line import WRONG_USAGE, run, say
from ambidex.envs.errors import UsageError
from ambidex.policies.train_config import TrainConfig
from ambidex.policies.train_flags import defaults_for

NAME = "train-policy"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, train, and leave with an exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        default = defaults_for(words)
    except UsageError as error:
        say(NAME, str(error))
        sys.exit(WRONG_USAGE)
    run(NAME, _main, TrainConfig[type(default.model)], words, default=default)  # type: ignore[misc]


def _main(config: TrainConfig[Any]) -> None:
    from ambidex.policies.train import train  # heavy: not for --help

    folder = train(config)
    if not config.quiet:
        sys.stdout.write(f"Trained {config.policy} in {folder}.\n")
