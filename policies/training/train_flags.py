"""The defaults of `train-policy`, which depend on three of its own flags."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from ambidex.envs.registry import resolve
from ambidex.policies.preset import Preset
from ambidex.policies.registry import PRESETS
from ambidex.policies.training.run_folder import default_run
from ambidex.policies.training.stored_settings import stored_settings
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training.train_json import config_of, read_train_json

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


def defaults_for(words: Sequence[str]) -> TrainConfig[Any]:
    """The defaults under these flags, of which only those that decide are looked at; with --resume, the run's own.

    With --adapt or --finetune the policy's own settings are those of the checkpoint.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
        UsageError: There is no run to go on with, or no checkpoint to begin with.
        CheckpointError: The run to go on with is damaged, or the checkpoint to begin with.
    """
    known, _ = _parser().parse_known_args(words)
    if known.resume:
        run = known.output_dir or default_run(known.policy, known.data)
        stored = read_train_json(run)
        model = type(defaults(str(stored.get("policy"))).model)
        return replace(config_of(run, stored, model), resume=False, quiet=False, debug=False)
    return defaults(known.policy, known.preset, known.observations, base=known.adapt or known.finetune)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name, default in (("policy", POLICY), ("preset", PRESET), ("observations", None)):
        parser.add_argument(f"--{name}", default=default, nargs="?")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--output-dir", "--output_dir", type=Path, nargs="?")
    for name in ("adapt", "finetune"):
        parser.add_argument(f"--{name}", type=Path, nargs="?")
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    return parser
