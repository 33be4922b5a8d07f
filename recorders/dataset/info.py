"""dataset.json: how a dataset was made, and what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ambidex.envs.types import EnvSpec
from ambidex.output_folder import FolderInfo

DATASET_JSON = "dataset.json"


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(FolderInfo):
    """How a dataset was made, and what it holds.

    Attributes:
        env_spec: The spec that all its episodes share.
        command: The command that recorded it, without flags that do not change it (workers, resume, output folder).
        versions: Package -> version, see `versions()`.
        format: Registered name: "act" or "libero".
        storage: "lossless", "jpeg" or "raw".
        attempts: Seeds attempted; successes + failures + errors.
        successes: Attempts that succeeded.
        failures: Attempts that did not.
        errors: Attempts that raised an error.
        episodes: Successful episodes stored.
        complete: Recording has finished.
        timings: Wall seconds, workers and the like; the only entry that may differ from run to run.
        config: Resolved flags of the command; empty in files of version 0.1.
    """

    file_name = DATASET_JSON
    format_version = 2
    folder_kind = "a dataset"
    written_by = "record-episodes"

    env_spec: EnvSpec
    command: str
    versions: Mapping[str, str]
    format: str
    storage: str
    attempts: int
    successes: int
    failures: int
    errors: int
    episodes: int
    complete: bool
    timings: Mapping[str, float]
    config: Mapping[str, Any] = field(default_factory=dict)
