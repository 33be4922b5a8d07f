"""The defaults of `train-policy`, which depend on three of its own flags."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, cast

from ambidex.envs.registry import resolve
from ambidex.policies.preset import Preset
from ambidex.policies.registry import PRESETS
from ambidex.policies.train_config import TrainConfig

POLICY, PRESET = "act", "base"


def defaults(policy: str = POLICY, preset: str = PRESET, observations: str | None = None) -> TrainConfig[Any]:
    """The flags of a policy and preset where nothing else is given.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
    """
    make = cast(Callable[[str, str | None], Preset[Any]], resolve("policy", policy, PRESETS))
    chosen = make(preset, observations)
    return TrainConfig(policy=policy, preset=preset, model=chosen.config, **asdict(chosen.training))


def defaults_for(words: Sequence[str]) -> TrainConfig[Any]:
    """The defaults under these flags, of which only those that decide are looked at.

    Raises:
        UnknownNameError: No such policy, preset or kind of observation.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name, default in (("policy", POLICY), ("preset", PRESET), ("observations", None)):
        parser.add_argument(f"--{name}", default=default, nargs="?")
    known, _ = parser.parse_known_args(words)
    return defaults(known.policy, known.preset, known.observations)
