"""The JSON file of a folder that says what the folder holds and how it came to be."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

from ambidex.atomic_files import write_json
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError

SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class FolderInfo(ABC):
    """What such a file says; a subclass has its fields."""

    _name: ClassVar[str]
    """Of the file."""
    _absent: ClassVar[str]
    """What a folder without the file is said to be."""
    _writer: ClassVar[str]
    """The command that writes such folders."""
    _remedy: ClassVar[str]
    """What to do about a damaged file."""

    @abstractmethod
    def to_dict(self) -> dict[str, object]:
        """JSON-ready; inverse of `from_dict`."""

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Inverse of `to_dict`. Fields that are younger than a file have their defaults.

        Raises:
            ValueError: A field is missing or unknown.
            TypeError: A field is of another type.
        """
        missing = {f.name for f in fields(cls) if f.default is MISSING} - set(values)
        unknown = set(values) - {f.name for f in fields(cls)}
        if missing or unknown:
            raise ValueError(f"missing {sorted(missing)}, unknown {sorted(unknown)}")
        return cls(**{**values, **cls._parts(values)})

    @classmethod
    @abstractmethod
    def _parts(cls, values: Mapping[str, object]) -> dict[str, object]:
        """The fields that are no plain JSON, read; raises as `from_dict` does."""

    def write(self, directory: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            DatasetError: It cannot be written.
        """
        write_json(directory / self._name, self.to_dict())

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Inverse of `write`.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        path = directory / cls._name
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DatasetError(cls._missing(directory)) from error
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(f"{path} cannot be read: {error}. {cls._remedy}") from error

    @classmethod
    def _missing(cls, directory: Path) -> str:
        """What to say of a folder without the file."""
        expected = f"Expected a folder that {cls._writer} wrote."
        if not directory.exists():
            return f"{directory} {cls._absent}: there is no such folder. {expected}"
        inside = sorted(str(file.parent) for file in directory.glob(f"*/{cls._name}"))
        if inside:
            more = f" and {len(inside) - SHOWN} more" if len(inside) > SHOWN else ""
            return (
                f"{directory} {cls._absent} itself: it has no {cls._name}, but there is one in each of "
                f"{', '.join(inside[:SHOWN])}{more}. Name one of these."
            )
        return f"{directory} {cls._absent}: it has no {cls._name}. {expected}"


# FOLDED recorders.dataset_info: dataset.json: what a dataset folder holds.

DATASET_JSON = "dataset.json"


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(FolderInfo):
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

    _name = DATASET_JSON
    _absent = "is no dataset"
    _writer = "record-episodes"
    _remedy = "Restore the file, or record the dataset again."

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
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "env_spec": self.env_spec.to_dict(),
            "versions": dict(self.versions),
            "timings": dict(self.timings),
        }

    @classmethod
    def _parts(cls, values: Mapping[str, object]) -> dict[str, object]:
        spec = values["env_spec"]
        if not isinstance(spec, Mapping):
            raise ValueError("env_spec is not an object")
        return {"env_spec": EnvSpec.from_dict(spec)}
