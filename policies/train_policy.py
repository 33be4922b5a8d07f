"""The command `train-policy`."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from ambidex.command_line import defaults_or_leave, run
from ambidex.envs.registry import SUITES
from ambidex.errors import UsageError
from ambidex.policies.training.run_folder import TRAIN_JSON, default_run
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training.train_flags import defaults_for

COMMAND = "train-policy"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, train, and leave with an exit code."""
    words = sys.argv[1:] if argv is None else argv
    default = defaults_or_leave(COMMAND, defaults_for, words)
    kind = cast("type[TrainConfig[Any]]", TrainConfig[type(default.model)])  # type: ignore[misc]
    run(COMMAND, _main, kind, words, default=default)


def _main(config: TrainConfig[Any]) -> None:
    try:  # heavy: not for --help
        from ambidex.policies.train import train
        from ambidex.policies.training.ranks import ranks_from_environment
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Training needs packages that are not installed ({error}). Install them: pip install 'ambidex[train]'."
        ) from error

    try:
        folder = train(config)
    except KeyboardInterrupt as interrupt:
        folder = config.output_dir or default_run(config.policy, config.data)
        if not (folder / TRAIN_JSON).is_file():
            raise KeyboardInterrupt("Nothing is saved yet: give the same command again.") from None
        command = shlex.join([COMMAND, "--resume", "--output-dir", str(folder)])
        raise KeyboardInterrupt(f"{interrupt} Go on with: {command}".strip()) from None
    if not config.quiet and ranks_from_environment().first:
        sys.stdout.write(f"Trained: {folder}. Benchmark it with: {_next_command(config.policy, folder)}\n")


def _next_command(policy: str, folder: Path) -> str:
    """As it can be typed: one run for a whole suite, else one for each task of the data, of several robots one each."""
    from ambidex.policies.checkpoint import ENV_SPEC, robot_folders
    from ambidex.policies.training.run_folder import find_checkpoint

    files = [robot / ENV_SPEC for robot in robot_folders(find_checkpoint(folder))]
    tasks = [str(json.loads(file.read_text(encoding="utf-8"))["task"]).split("+") for file in files]
    words = ["run-benchmark", "--policy", policy, "--checkpoint", str(folder)]
    if len(tasks) > 1:
        return " && ".join(shlex.join([*words, "--task", task]) for task, *_ in tasks)
    for suite, names in SUITES.items():
        if set(names) == set(tasks[0]):
            return shlex.join([*words, "--suite", suite])
    return " && ".join(shlex.join([*words, "--task", task]) for task in tasks[0])


if __name__ == "__main__":  # torchrun --nproc-per-node N -m ambidex.policies.train_policy ...
    main()
