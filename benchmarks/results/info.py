"""benchmark.json: what a results folder was made with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from ambidex.envs.types import EnvSpec
from ambidex.recorders.dataset.info import FolderInfo

BENCHMARK_JSON = "benchmark.json"


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
class BenchmarkInfo(FolderInfo):
    """What a results folder was made with.

    Attributes:
        policy: Who acted.
        execution: How chunks were played, e.g. "chunk:100"; empty for who does not predict chunks.
        protocol: Whose protocol, and where flags departed from it; empty for none.
        warning: One line on tasks that a learned policy was not trained on; empty if there are none.
        command: The resolved command, without what must not matter.
        checkpoint: Of a learned policy.
        serving: Of a learned policy.
        env_specs: Task -> spec of the environment it acted in.
        versions: Package -> version.
        machine: Processor, cores and the like.
    """

    _name = BENCHMARK_JSON
    _absent = "holds no results"
    _writer = "run-benchmark"
    _remedy = "Restore it, or run the benchmark again."

    policy: str
    execution: str
    command: str
    checkpoint: CheckpointId | None
    serving: ServingInfo | None
    env_specs: Mapping[str, EnvSpec]
    versions: Mapping[str, str]
    machine: Mapping[str, str | float]
    protocol: str = ""
    warning: str = ""

    def to_dict(self) -> dict[str, object]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "checkpoint": asdict(self.checkpoint) if self.checkpoint else None,
            "serving": asdict(self.serving) if self.serving else None,
            "env_specs": {task: spec.to_dict() for task, spec in self.env_specs.items()},
        }

    @classmethod
    def _parts(cls, values: Mapping[str, object]) -> dict[str, object]:
        checkpoint, serving, specs = values["checkpoint"], values["serving"], values["env_specs"]
        if not isinstance(specs, Mapping):
            raise ValueError("env_specs is not an object")
        return {
            "checkpoint": CheckpointId(**checkpoint) if isinstance(checkpoint, Mapping) else None,
            "serving": _serving(serving) if isinstance(serving, Mapping) else None,
            "env_specs": {task: EnvSpec.from_dict(spec) for task, spec in specs.items()},
        }


def _serving(values: Mapping[str, object]) -> ServingInfo:
    notes = values.get("notes")
    return ServingInfo(**{**values, "notes": tuple(notes) if isinstance(notes, list) else ()})  # type: ignore[arg-type]
