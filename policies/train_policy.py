"""The command `train-policy`."""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, cast

from ambidex.command_line import defaults_or_exit, peek_flags, run
from ambidex.envs.registry import SUITES
from ambidex.errors import UsageError
from ambidex.flags import OptionalName, OptionalPath, Switch
from ambidex.lookup import resolve
from ambidex.policies.registry import PRESETS, Preset
from ambidex.policies.run_folder import TRAIN_JSON, default_run
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.run_info import config_of, read_train_json, stored_settings

COMMAND = "train-policy"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, train, and leave with an exit code."""
    words = sys.argv[1:] if argv is None else argv
    default = defaults_or_exit(COMMAND, defaults_for, words)
    kind = cast("type[TrainConfig[Any]]", TrainConfig[type(default.model)])  # type: ignore[misc]
    run(COMMAND, _main, kind, words, default=default)


def _main(config: TrainConfig[Any]) -> None:
    try:  # heavy: not for --help
        from ambidex.policies.train import train
        from ambidex.policies.training.distributed import ranks_from_environment
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
    from ambidex.policies.run_folder import find_checkpoint

    files = [robot / ENV_SPEC for robot in robot_folders(find_checkpoint(folder))]
    tasks = [str(json.loads(file.read_text(encoding="utf-8"))["task"]).split("+") for file in files]
    words = ["run-benchmark", "--policy", policy, "--checkpoint", str(folder)]
    if len(tasks) > 1:
        return " && ".join(shlex.join([*words, "--task", task]) for task, *_ in tasks)
    for suite, names in SUITES.items():
        if set(names) == set(tasks[0]):
            return shlex.join([*words, "--suite", suite])
    return " && ".join(shlex.join([*words, "--task", task]) for task in tasks[0])


# FOLDED policies.training.train_flags: The defaults of `train-policy`, which depend on three of its own flags.

POLICY, PRESET = "act", "base"


def defaults(
    policy: str = POLICY, preset: str = PRESET, observations: str | None = None, *, base: Path | None = None
) -> TrainConfig[Any]:
    """The flags of a policy and preset where nothing else is given.

    Args:
        policy: Its name.
        preset: Its preset's name.
        observations: What it looks at, where the preset leaves that open.
        base: A checkpoint to adapt or to fine-tune: the policy's own settings are those that it has.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
        UsageError: There is no checkpoint to begin with, or it is of another policy.
        CheckpointError: It is damaged.
    """
    make = cast(Callable[[str, str | None], Preset[Any]], resolve("policy", policy, PRESETS))
    chosen = make(preset, observations)
    model = stored_settings(base, policy, type(chosen.config)) if base else chosen.config
    return TrainConfig(policy=policy, preset=preset, model=model, **asdict(chosen.training))


@dataclass(frozen=True, kw_only=True)
class _DecidingFlags:
    policy: str = POLICY
    preset: str = PRESET
    observations: OptionalName = None
    resume: Switch = False
    output_dir: OptionalPath = None
    adapt: OptionalPath = None
    finetune: OptionalPath = None
    data: tuple[Path, ...] = ()


def defaults_for(words: Sequence[str]) -> TrainConfig[Any]:
    """The defaults under these flags, of which only those that decide are looked at; with --resume, the run's own.

    With --adapt or --finetune the policy's own settings are those of the checkpoint.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
        UsageError: There is no run to go on with, or no checkpoint to begin with.
        CheckpointError: The run to go on with is damaged, or the checkpoint to begin with.
    """
    known = peek_flags(words, _DecidingFlags)
    if known.resume:
        run = known.output_dir or default_run(known.policy, known.data)
        stored = read_train_json(run)
        model = type(defaults(str(stored.get("policy"))).model)
        return replace(config_of(run, stored, model), resume=False, quiet=False, debug=False)
    return defaults(known.policy, known.preset, known.observations, base=known.adapt or known.finetune)


if __name__ == "__main__":  # torchrun --nproc-per-node N -m ambidex.policies.train_policy ...
    main()
