"""Which tasks a policy is to tell apart."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from ambidex.errors import UsageError
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training_data.episode_table import EpisodeTable
from ambidex.text import first_few

FIELD = "instructions"


def with_tasks(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> TrainConfig[Any]:
    """The config with the instructions of the data in it, if there are several and the policy can tell them apart.

    Raises:
        UsageError: Instructions are given, and the data have others.
    """
    if FIELD not in {field.name for field in fields(config.model)}:
        return config
    found = tuple(dict.fromkeys(entry.instruction for table in tables for entry in table.entries))
    given: tuple[str, ...] = getattr(config.model, FIELD)
    unknown = [instruction for instruction in found if instruction not in given]
    if given and unknown:
        raise UsageError(
            f"--instructions names {len(given)} tasks, and the data have others: {first_few(unknown)}. Leave the flag "
            "out, and those of the data are taken."
        )
    if given or len(found) < 2:
        return config
    return replace(config, model=replace(config.model, **{FIELD: found}))
