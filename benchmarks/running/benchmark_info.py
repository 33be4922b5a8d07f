"""benchmark.json: what a results folder was made with."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec

NAME = "benchmark.json"


@dataclass(frozen=True, kw_only=True)
class CheckpointId:
    """Which checkpoint acted.

    Attributes:
        path: Where it lay.
        sha256: Fingerprint of its weights.
    """

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ServingInfo:
    """How a policy's answers were computed.

    Attributes:
        device: Where.
        device_name: Its name.
        lanes: Rows of every forward pass.
        notes: What must be said about reproducibility.
    """

    device: str
    device_name: str
    lanes: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BenchmarkInfo:
    """What a results folder was made with.

    Attributes:
        policy: Who acted.
        execution: How chunks were played, e.g. "chunk:100"; empty for who does not predict chunks.
        protocol: Whose protocol, and where flags departed from it; empty for none.
        command: The resolved command, without what must not matter.
        checkpoint: Of a learned policy.
        serving: Of a learned policy.
        env_specs: Task -> spec of the environment it acted in.
        versions: Package -> version.
        machine: Processor, cores and the like.
    """

    policy: str
    execution: str
    command: str
    checkpoint: CheckpointId | None
    serving: ServingInfo | None
    env_specs: Mapping[str, EnvSpec]
    versions: Mapping[str, str]
    machine: Mapping[str, str | float]
    protocol: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; inverse of `from_dict`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "checkpoint": asdict(self.checkpoint) if self.checkpoint else None,
            "serving": asdict(self.serving) if self.serving else None,
            "env_specs": {task: spec.to_dict() for task, spec in self.env_specs.items()},
        }

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
        checkpoint, serving, specs = values["checkpoint"], values["serving"], values["env_specs"]
        if not isinstance(specs, Mapping):
            raise ValueError("env_specs is not an object")
        read = {
            "checkpoint": CheckpointId(**checkpoint) if isinstance(checkpoint, Mapping) else None,
            "serving": _serving(serving) if isinstance(serving, Mapping) else None,
            "env_specs": {task: EnvSpec.from_dict(spec) for task, spec in specs.items()},
        }
        return cls(**{**values, **read})  # type: ignore[arg-type]

    def write(self, directory: Path) -> None:
        """Write `directory`/benchmark.json, whole or not at all.

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
                f"{directory} holds no results: it has no {NAME}. Expected a folder that run-benchmark wrote."
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(f"{path} cannot be read: {error}. Restore it, or run the benchmark again.") from error


def _serving(values: Mapping[str, object]) -> ServingInfo:
    notes = values.get("notes")
    return ServingInfo(**{**values, "notes": tuple(notes) if isinstance(notes, list) else ()})  # type: ignore[arg-type]
