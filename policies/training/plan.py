"""A resolved training run: settings, policy, device, and the data of each embodiment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ambidex.errors import UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.episode_table import EpisodeTable, RowArray
from ambidex.policies.data.split import Mixture, split
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.distributed import Ranks

InitialState = tuple[str, str]
"""As of `EpisodeEntry.initial_state`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbodimentData:
    """The data of one embodiment.

    Attributes:
        table: Its episodes.
        training: Indices of the episodes to train on.
        held_out: Indices of the others.
        statistics: Of the episodes to train on.
        weight: Sampling weight relative to the other embodiments.
    """

    table: EpisodeTable
    training: tuple[int, ...]
    held_out: tuple[int, ...]
    statistics: Statistics
    weight: float

    @property
    def embodiment(self) -> str:
        """Its name, e.g. "panda-ee"."""
        return embodiment_of(self.table.spec)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainPlan:
    """Everything that is decided before the first step.

    Attributes:
        config: The flags, resolved: nothing is auto.
        run: The run folder.
        policy: On the device.
        data: Of each embodiment.
        device: The training device.
        ranks: This process among those that train together.
    """

    config: TrainConfig[Any]
    run: Path
    policy: Policy
    data: tuple[EmbodimentData, ...]
    device: torch.device
    ranks: Ranks = field(default_factory=Ranks)


def split_data(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> tuple[EmbodimentData, ...]:
    """The data of each embodiment, split and weighted as the flags say; the default weight is its number of datasets.

    Raises:
        UsageError: The weights do not fit, or an embodiment would get no training step.
    """
    weights = _weights(config, tables)
    _check_steps(config, tables, weights)
    held_out: dict[InitialState, bool] = {}
    return tuple(_split_table(config, table, weight, held_out) for table, weight in zip(tables, weights, strict=True))


def statistics_of(table: EpisodeTable, rows: RowArray) -> Statistics:
    """Statistics of some rows of a table."""
    fields = (table.qpos, table.objects, table.actions)
    qpos, objects, actions = (FieldStatistics.of(field[rows]) for field in fields)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def _split_table(
    config: TrainConfig[Any], table: EpisodeTable, weight: float, decided: dict[InitialState, bool]
) -> EmbodimentData:
    """Split by initial state. `decided` says of those of other tables whether they are held out, and is completed."""
    states = [state for state in dict.fromkeys(entry.initial_state for entry in table.entries) if state not in decided]
    chosen = split(len(states), config.validation_fraction, config.seed)[1]
    decided |= {state: index in chosen for index, state in enumerate(states)}
    held_out = tuple(index for index, entry in enumerate(table.entries) if decided[entry.initial_state])
    training = tuple(index for index in range(len(table.entries)) if index not in set(held_out))
    if not training:  # all of them are held out elsewhere; an embodiment needs some to train on
        training, held_out = held_out, ()
    statistics = statistics_of(table, table.rows(training))
    return EmbodimentData(table=table, training=training, held_out=held_out, statistics=statistics, weight=weight)


def _weights(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> tuple[float, ...]:
    if not config.mixture:
        return tuple(float(len(table.specs)) for table in tables)
    if len(config.mixture) != len(tables) or not all(0 < weight < math.inf for weight in config.mixture):
        names = ", ".join(embodiment_of(table.spec) for table in tables)
        expected = f"{len(tables)} finite numbers above 0, one for each of {names}"
        hint = "Leave it out to weight embodiments by their number of datasets."
        raise UsageError(f"{_mixture_flag(config)}: expected {expected}.", hint, field="mixture", got=config.mixture)
    return config.mixture


def _check_steps(config: TrainConfig[Any], tables: Sequence[EpisodeTable], weights: Sequence[float]) -> None:
    """Refuse an embodiment that no step trains: the checkpoint would hold its untrained weights."""
    mixture = Mixture(weights, config.seed, config.steps)
    untrained = [embodiment_of(table.spec) for index, table in enumerate(tables) if not mixture.count(index)]
    if untrained:
        flags = [*([_mixture_flag(config)] if config.mixture else []), f"--steps {config.steps}"]
        problem = f"{', '.join(flags)}: no step would train {', '.join(untrained)}."
        hint = "Give more steps, more similar weights, or leave out its data."
        raise UsageError(problem, hint, field="mixture", got=untrained)


def _mixture_flag(config: TrainConfig[Any]) -> str:
    return f"--mixture {' '.join(map(str, config.mixture))}"
