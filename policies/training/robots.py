"""What a training knows of each robot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ambidex.errors import UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.episode_table import EpisodeTable, RowArray
from ambidex.policies.data.split import Mixture, split
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotData:
    """The data of one robot.

    Attributes:
        table: Its episodes.
        training: Those to train on.
        held_out: The others.
        statistics: Of those to train on.
        weight: How often it has its turn, in proportion to the other robots.
    """

    table: EpisodeTable
    training: tuple[int, ...]
    held_out: tuple[int, ...]
    statistics: Statistics
    weight: float

    @property
    def robot(self) -> str:
        """The robot's name."""
        return embodiment_of(self.table.spec)


def robots_of(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> tuple[RobotData, ...]:
    """The data of each robot, split and weighed as the flags say; without weights a robot counts by its datasets.

    Raises:
        UsageError: The weights do not fit, or leave a robot without a turn.
    """
    weights = _weights(config, tables)
    _check_turns(config, tables, weights)
    return tuple(_robot(config, table, weight) for table, weight in zip(tables, weights, strict=True))


def statistics_of(table: EpisodeTable, rows: RowArray) -> Statistics:
    """Statistics of some rows of a table."""
    fields = (table.qpos, table.objects, table.actions)
    qpos, objects, actions = (FieldStatistics.of(field[rows]) for field in fields)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def _robot(config: TrainConfig[Any], table: EpisodeTable, weight: float) -> RobotData:
    training, held_out = split(len(table.entries), config.validation_fraction, config.seed)
    statistics = statistics_of(table, table.rows(training))
    return RobotData(table=table, training=training, held_out=held_out, statistics=statistics, weight=weight)


def _weights(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> tuple[float, ...]:
    if not config.mixture:
        return tuple(float(len(table.specs)) for table in tables)
    if len(config.mixture) != len(tables) or not all(0 < weight < math.inf for weight in config.mixture):
        raise UsageError(
            f"{_flag(config)}: expected {len(tables)} finite numbers above 0, one for each robot in the order in which "
            f"--data names them first: {', '.join(_names(tables))}. Leave it out to count by datasets."
        )
    return config.mixture


def _check_turns(config: TrainConfig[Any], tables: Sequence[EpisodeTable], weights: Sequence[float]) -> None:
    """Refuse a robot that nothing would be learnt about, which the checkpoint would hold all the same."""
    mixture = Mixture(weights, config.seed, config.steps)
    idle = [name for robot, name in enumerate(_names(tables)) if not mixture.turns(robot)]
    if idle:
        told = f"{_flag(config)}, " if config.mixture else ""
        raise UsageError(
            f"{told}--steps {config.steps}: no step would be about {', '.join(idle)}, expected at least one for each "
            f"of {', '.join(_names(tables))}. Give more steps, weights that are nearer to each other, or no data of it."
        )


def _flag(config: TrainConfig[Any]) -> str:
    return f"--mixture {' '.join(map(str, config.mixture))}"


def _names(tables: Sequence[EpisodeTable]) -> tuple[str, ...]:
    return tuple(embodiment_of(table.spec) for table in tables)
