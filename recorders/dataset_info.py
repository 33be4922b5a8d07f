"""dataset.json: what a dataset folder holds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ambidex.envs.types import EnvSpec
from ambidex.recorders.folder_info import FolderInfo

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
