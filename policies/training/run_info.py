"""train.json: settings, data and versions of a run, beside its checkpoints. Needs no torch."""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from ambidex.codec import from_json
from ambidex.errors import CheckpointError, UsageError
from ambidex.flags import changed_flags
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.run_folder import CONFIG, TRAIN_JSON, find_checkpoint
from ambidex.policies.training.config import RUN_ONLY, TrainConfig

FORMAT_VERSION = 1
OTHER_VERSION = "Use the version of ambidex that wrote it, or train again in another --output-dir."


def read_train_json(run: Path) -> dict[str, object]:
    """All entries of `run`/train.json, with the config as JSON.

    Raises:
        UsageError: There is no run.
        CheckpointError: The file is damaged or of another version.
    """
    path = run / TRAIN_JSON
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "Name the folder of a run with --output-dir, or leave out --resume to start one."
        raise UsageError(f"--resume: there is no run in {run}, it has no {TRAIN_JSON}.", hint, path=run) from error
    except (OSError, ValueError) as error:
        hint = "Restore it from a copy, or train again in another --output-dir."
        raise CheckpointError(f"{path} cannot be read: {error}.", hint, path=path) from error
    if not isinstance(values, dict) or values.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(f"{path} was not written by this version of ambidex.", OTHER_VERSION, path=path)
    return values


def config_of(run: Path, values: dict[str, object], model: type) -> TrainConfig[Any]:
    """The config of a run, from the entries of its train.json and the type of the policy's settings.

    Raises:
        CheckpointError: It is of another version.
    """
    kind = cast("type[TrainConfig[Any]]", TrainConfig[model])  # type: ignore[valid-type]
    try:
        config = from_json(kind, values.get("config"), complete=True)
    except ValueError as error:
        problem = f"{run / TRAIN_JSON} does not fit this version of ambidex: {error}."
        raise CheckpointError(problem, OTHER_VERSION, path=run / TRAIN_JSON) from error
    return replace(config, output_dir=run)


def changed_settings(old: TrainConfig[Any], new: TrainConfig[Any]) -> list[str]:
    """One line per flag in which two configs differ so that they would train other weights."""
    ignored = set(RUN_ONLY) | {"model", "data"}  # data is compared by its content
    if old.schedule == "constant" and new.schedule == "constant":
        ignored.add("steps")  # the first steps of a longer run are those of the shorter one
    return [*changed_flags(old, new, ignored), *changed_flags(old.model, new.model)]


def data_facts(tables: Sequence[EpisodeTable]) -> dict[str, object]:
    """Identifies the training data, except for its frames."""
    digest = sha256()
    for table in tables:
        for array in (table.qpos, table.objects, table.actions):
            digest.update(array.tobytes())
    episodes = sum(len(table.entries) for table in tables)
    return {"episodes": episodes, "samples": sum(map(len, tables)), "sha256": digest.hexdigest()}


def stored_settings(path: Path, policy: str, kind: type[Any]) -> Any:
    """The settings, of type `kind`, of the policy of a checkpoint, given by its folder or that of a run.

    Raises:
        UsageError: There is no checkpoint, or it is of another policy than the expected one.
        CheckpointError: It is damaged, or of another version.
    """
    file = find_checkpoint(path) / CONFIG
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["policy"] == policy:
            return from_json(kind, stored["config"], complete=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Restore the checkpoint from a copy."
        raise CheckpointError(f"{file} cannot be read: {error}.", hint, path=file) from error
    found = stored["policy"]
    problem = f"{path} is a checkpoint of {found}, but --policy is {policy}."
    raise UsageError(problem, f"Give --policy {found}.", path=path, got=found, expected=policy)
