"""train.json: what a run is and how it came to be, beside its checkpoints."""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ambidex.atomic_files import write_json
from ambidex.codec import from_json, to_json
from ambidex.errors import CheckpointError, UsageError
from ambidex.flags import changed_flags
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.run_folder import CONFIG, TRAIN_JSON, find_checkpoint
from ambidex.policies.training.config import RUN_ONLY, TrainConfig

if TYPE_CHECKING:
    pass

FORMAT_VERSION = 1


def write_train_json(run: Path, config: TrainConfig[Any], facts: dict[str, object]) -> None:
    """Write `run`/train.json.

    Args:
        run: The run's folder.
        config: Resolved flags.
        facts: What else is worth knowing: the command, versions, data.

    Raises:
        DatasetError: It cannot be written.
    """
    write_json(
        run / TRAIN_JSON,
        {"format_version": FORMAT_VERSION, "policy": config.policy, **facts, "config": to_json(config)},
    )


def read_train_json(run: Path) -> dict[str, object]:
    """Inverse of `write_train_json`: everything, with the config as JSON.

    Raises:
        UsageError: There is no run.
        CheckpointError: The file is damaged or of another version.
    """
    path = run / TRAIN_JSON
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"--resume: there is no run in {run}, it has no {TRAIN_JSON}. Name the folder of a run with --output-dir, "
            "or leave --resume out to begin."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Restore it, or train again elsewhere.") from error
    if not isinstance(values, dict) or values.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(f"{path} was not written by this version of ambidex. Go on with the one that wrote it.")
    return values


def config_of(run: Path, values: dict[str, object], model: type) -> TrainConfig[Any]:
    """The config in a train.json.

    Args:
        run: The run's folder.
        values: What `read_train_json` gave.
        model: Type of the policy's own settings.

    Raises:
        CheckpointError: Of another version.
    """
    kind = cast("type[TrainConfig[Any]]", TrainConfig[model])  # type: ignore[valid-type]
    try:
        config = from_json(kind, values.get("config"), complete=True)
    except ValueError as error:
        raise CheckpointError(
            f"{run / TRAIN_JSON} does not fit this version of ambidex: {error}. Go on with the version that wrote it."
        ) from error
    return replace(config, output_dir=run)


def differences(old: TrainConfig[Any], new: TrainConfig[Any]) -> list[str]:
    """One line per flag in which two configs differ so that they would train something else."""
    ignored = set(RUN_ONLY) | {"model", "data"}  # data is compared by what it holds
    if old.schedule == "constant" and new.schedule == "constant":
        ignored.add("steps")  # a longer run begins with the shorter one
    return [*changed_flags(old, new, ignored), *changed_flags(old.model, new.model)]


def data_facts(tables: Sequence[EpisodeTable]) -> dict[str, object]:
    """What identifies the training data, but for its pixels."""
    digest = sha256()
    for table in tables:
        for array in (table.qpos, table.objects, table.actions):
            digest.update(array.tobytes())
    episodes = sum(len(table.entries) for table in tables)
    return {"episodes": episodes, "samples": sum(map(len, tables)), "sha256": digest.hexdigest()}


# FOLDED policies.training.stored_settings: A policy's own settings, as a checkpoint has them; read without torch.


def stored_settings(path: Path, policy: str, kind: type[Any]) -> Any:
    """The settings of a checkpoint.

    Args:
        path: A run's folder, checkpoints/last, or checkpoints/STEP.
        policy: The policy it has to be of.
        kind: Type of the settings.

    Raises:
        UsageError: There is no checkpoint, or it is of another policy.
        CheckpointError: It is damaged, or of another version.
    """
    file = find_checkpoint(path) / CONFIG
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["policy"] == policy:
            return from_json(kind, stored["config"], complete=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}. Restore the checkpoint from a copy.") from error
    raise UsageError(
        f"{path} is a checkpoint of {stored['policy']}, and --policy is {policy}. Give --policy {stored['policy']}."
    )
