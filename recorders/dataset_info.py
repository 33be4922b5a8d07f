"""dataset.json: what a dataset folder holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec

NAME = "dataset.json"


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What a dataset folder holds and how it came to be.

    Attributes:
        env_spec: The spec all its episodes share.
        command: The command that recorded it. Leave out what must not matter (workers, resume, output folder).
        versions: Package -> version, see `versions()`.
        format: Registered name: "act" or "libero".
        storage: "lossless", "jpeg" or "raw".
        attempts: Seeds attempted; successes + failures + errors.
        successes: Attempts that succeeded.
        failures: Attempts that did not.
        errors: Attempts that broke.
        episodes: Episode files written.
        complete: Recording has finished.
        timings: Wall seconds, workers and the like; the only entry that may differ from run to run.
    """

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

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; inverse of `from_dict`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "env_spec": self.env_spec.to_dict(),
            "versions": dict(self.versions),
            "timings": dict(self.timings),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Inverse of `to_dict`.

        Raises:
            ValueError: A field is missing or unknown.
        """
        names = {f.name for f in fields(cls)}
        if names != set(values):
            raise ValueError(f"missing {sorted(names - set(values))}, unknown {sorted(set(values) - names)}")
        spec = values["env_spec"]
        if not isinstance(spec, Mapping):
            raise ValueError("env_spec is not an object")
        return cls(**{**values, "env_spec": EnvSpec.from_dict(spec)})  # type: ignore[arg-type]

    def write(self, directory: Path) -> None:
        """Write `directory`/dataset.json, whole or not at all.

        Raises:
            DatasetError: It cannot be written.
        """
        write_json(directory / NAME, self.to_dict())

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Inverse of `write`.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        path = directory / NAME
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise DatasetError(
                f"{directory} is no dataset: it has no {NAME}. Expected a folder that record-episodes wrote."
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(
                f"{path} cannot be read: {error}. Restore the file, or record the dataset again."
            ) from error
