"""train.json: settings, data and versions of a run, beside its checkpoints. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from ambidex.codec import from_json, parse, to_json
from ambidex.errors import CheckpointError, UsageError
from ambidex.flags import changed_flags
from ambidex.output_folder import FolderInfo
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.run_folder import CONFIG, TRAIN_JSON, find_checkpoint
from ambidex.policies.training.config import RUN_ONLY, TrainConfig

OTHER_VERSION = "Use the version of ambidex that wrote it, or train again in another --output-dir."


@dataclass(frozen=True, kw_only=True)
class TrainInfo(FolderInfo):
    """The content of train.json.

    Attributes:
        policy: Registered name.
        command: The resolved command, without flags that do not change results.
        versions: Package -> version.
        data: What `data_facts` returns.
        ranks: Number of processes that train together.
        torch_threads: Threads of torch on a CPU, on whose number the last bits of sums depend; 0 if that is unknown.
        validation_episodes: Indices of the episodes held out; with several embodiments by embodiment.
        first_weights: Source of the first weights, in words.
        config: The resolved flags.
    """

    file_name = TRAIN_JSON
    format_version = 2
    folder_kind = "a run"
    written_by = "train-policy"
    error = CheckpointError

    policy: str
    command: str
    versions: Mapping[str, str]
    data: Mapping[str, int | str]
    ranks: int
    torch_threads: int = 0
    validation_episodes: tuple[int, ...] | Mapping[str, tuple[int, ...]]
    first_weights: str
    config: Mapping[str, Any]


def read_train_json(run: Path) -> dict[str, object]:
    """All entries of `run`/train.json, with the config as JSON.

    Raises:
        UsageError: There is no run.
        CheckpointError: The file is damaged or of another version.
    """
    if not (run / TRAIN_JSON).exists():
        hint = "Name the folder of a run with --output-dir, or leave out --resume to start one."
        raise UsageError(f"--resume: there is no run in {run}, it has no {TRAIN_JSON}.", hint, path=run)
    return dict(to_json(TrainInfo.read(run)))


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
    ignored = set(RUN_ONLY) | {"model", "data", "exclude_episodes"}  # data is compared by its content
    if old.schedule == "constant" and new.schedule == "constant":
        ignored.add("steps")  # the first steps of a longer run are those of the shorter one
    return [*changed_flags(old, new, ignored), *changed_flags(old.model, new.model)]


def data_facts(tables: Sequence[EpisodeTable]) -> dict[str, int | str]:
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
        stored = parse(file.read_bytes())
        if stored["policy"] == policy:
            return from_json(kind, stored["config"], complete=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Restore the checkpoint from a copy."
        raise CheckpointError(f"{file} cannot be read: {error}.", hint, path=file) from error
    found = stored["policy"]
    problem = f"{path} is a checkpoint of {found}, but --policy is {policy}."
    raise UsageError(problem, f"Give --policy {found}.", path=path, got=found, expected=policy)
