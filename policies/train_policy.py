"""The command `train-policy`, and the defaults of its flags."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, cast

from ambidex.command_line import defaults_or_exit, peek_flags, print_result, run
from ambidex.envs.registry import SUITES, tasks_named
from ambidex.errors import MissingPackageError, UsageError, check_name
from ambidex.flags import OptionalName, OptionalPath, Switch
from ambidex.lookup import resolve
from ambidex.policies.registry import PRESETS, Preset
from ambidex.policies.run_folder import TRAIN_JSON, default_run, find_checkpoint, trained_tasks
from ambidex.policies.training.config import COMMAND, TrainConfig
from ambidex.policies.training.run_info import config_of, read_train_json, stored_settings

POLICY, PRESET = "act", "base"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, train, and exit."""
    words = sys.argv[1:] if argv is None else argv
    default = defaults_or_exit(COMMAND, defaults_for, words)
    kind = cast("type[TrainConfig[Any]]", TrainConfig[type(default.model)])  # type: ignore[misc]
    run(COMMAND, _main, kind, words, default=default)


def train_config(
    policy: str = POLICY, preset: str = PRESET, observations: str | None = None, **settings: Any
) -> TrainConfig[Any]:
    """The config of a training: the defaults of a policy and preset, and what is given instead of them.

    Args:
        policy: Name of the policy.
        preset: Name of the preset.
        observations: "images" or "state"; None for the preset's own.
        settings: Other fields of `TrainConfig`, such as `data`, `steps` and `output_dir`. With `adapt` or `finetune`,
            the folder of a checkpoint, the policy's settings are those of the checkpoint instead of the preset's.

    Raises:
        UnknownNameError: No such policy, preset, kind of observation or setting.
        UsageError: There is no checkpoint, it is of another policy, or a setting is of another type.
        CheckpointError: The checkpoint is damaged.
    """
    make = cast(Callable[[str, str | None], Preset[Any]], resolve("policy", policy, PRESETS))
    chosen = make(preset, observations)
    known = {field.name for field in fields(TrainConfig)} - {"model"}
    for name in settings:
        check_name("setting", name, known)
    base = settings.get("adapt") or settings.get("finetune")
    model = stored_settings(Path(base), policy, type(chosen.config)) if base else chosen.config
    return TrainConfig(policy=policy, preset=preset, model=model, **{**asdict(chosen.training), **settings})


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
    """The defaults under some flags: those of policy and preset, of the run with --resume.

    With --adapt or --finetune the policy's settings are those of the checkpoint.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
        UsageError: There is no run to resume, or no checkpoint to start from.
        CheckpointError: The run or the checkpoint is damaged.
    """
    flags = peek_flags(words, _DecidingFlags)
    if flags.resume:
        if flags.output_dir is None and not flags.data:
            raise UsageError("--resume: no run is named.", "Give its folder with --output-dir, e.g. runs/act-TASK.")
        folder = flags.output_dir or default_run(flags.policy, flags.data)
        stored = read_train_json(folder)
        model = type(train_config(str(stored.get("policy"))).model)
        return replace(config_of(folder, stored, model), resume=False, quiet=False, debug=False)
    return train_config(flags.policy, flags.preset, flags.observations, adapt=flags.adapt, finetune=flags.finetune)


def _main(config: TrainConfig[Any]) -> None:
    try:  # heavy: not for --help
        from ambidex.policies.training.distributed import ranks_from_environment
        from ambidex.policies.training.train import train
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "train", "Training") from error

    try:
        folder = train(config)
    except KeyboardInterrupt as interrupt:
        folder = config.output_dir or default_run(config.policy, config.data)
        if not (folder / TRAIN_JSON).is_file():
            raise KeyboardInterrupt("Nothing is saved yet: give the same command again.") from None
        command = shlex.join([COMMAND, "--resume", "--output-dir", str(folder)])
        raise KeyboardInterrupt(f"{interrupt} Resume with: {command}".strip()) from None
    if not config.quiet and ranks_from_environment().first:
        print_result(f"Trained: {folder}. {advice(config.policy, folder)}")


def advice(policy: str, folder: Path) -> str:
    """What to do with a run: of tasks that are not ours, as in a dataset of another program, it can only be served."""
    tasks = trained_tasks(find_checkpoint(folder))
    try:
        for task in chain.from_iterable(tasks):
            tasks_named(task)
    except UsageError:
        return f"Serve it with: {shlex.join(['serve-policy', '--checkpoint', str(folder)])}"
    return f"Benchmark it with: {_benchmark_command(policy, folder, tasks)}"


def _benchmark_command(policy: str, folder: Path, tasks: Sequence[Sequence[str]]) -> str:
    """As it can be typed: one run for a whole suite, else one for each task; of several embodiments one for each."""
    words = ["run-benchmark", "--policy", policy, "--checkpoint", str(folder)]
    if len(tasks) > 1:
        return " && ".join(shlex.join([*words, "--task", task]) for task, *_ in tasks)
    for suite, names in SUITES.items():
        if set(names) == set(tasks[0]):
            return shlex.join([*words, "--suite", suite])
    return " && ".join(shlex.join([*words, "--task", task]) for task in tasks[0])


if __name__ == "__main__":  # torchrun --nproc-per-node N -m ambidex.policies.train_policy ...
    main()
