"""dataset.json: how a dataset was made, and what it holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ambidex.codec import Count
from ambidex.envs.registry import check_spec
from ambidex.envs.shards import Shard
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec
from ambidex.output_folder import FolderInfo
from ambidex.recorders.dataset.layout import EXTRAS, FAILURES, PARTS

DATASET_JSON = "dataset.json"
INSTRUCTION_SEPARATOR = "; "  # in the spec of a dataset with several instructions


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(FolderInfo):
    """How a dataset was made, and what it holds.

    Attributes:
        env_spec: The spec that all its episodes share.
        command: The command that recorded it, without flags that do not change it (workers, resume, output folder).
        versions: Package -> version, see `versions()`.
        format: Registered name: "act", "libero" or "lerobot".
        storage: "lossless", "jpeg", "jpeg-bgr", "raw", "h264" or "av1".
        attempts: Seeds attempted; successes + failures + errors.
        successes: Attempts that succeeded.
        failures: Attempts that did not.
        errors: Attempts that raised an error.
        episodes: Successful episodes stored, those that were removed later included.
        complete: Recording has finished.
        timings: Wall seconds, workers and the like; the only entry that may differ from run to run.
        config: Resolved flags of the command; empty in files of version 0.1.
        source_command: Of a dataset that was rendered or converted: the command that recorded the episodes.
        removed: Numbers of the episodes that were removed on purpose; see `accept_missing`.
        seeds: Of a shard the seeds to attempt; of merged shards that lack some, the seeds attempted. Empty for the
            seeds in order.
    """

    file_name = DATASET_JSON
    format_version = 4
    folder_kind = "a dataset"
    written_by = "record-episodes"

    env_spec: EnvSpec
    command: str
    versions: Mapping[str, str]
    format: str
    storage: str
    attempts: Count
    successes: Count
    failures: Count
    errors: Count
    episodes: Count
    complete: bool
    timings: Mapping[str, float]
    config: Mapping[str, Any] = field(default_factory=dict)
    source_command: str = ""
    removed: tuple[Count, ...] = ()
    seeds: tuple[Count, ...] = ()

    def __post_init__(self) -> None:
        check_spec(self.env_spec)
        if self.episodes > FIRST_BENCHMARK_SEED:
            raise ValueError(
                f"episodes: got {self.episodes}, expected at most {FIRST_BENCHMARK_SEED}, one a training seed"
            )

    @property
    def shard(self) -> Shard | None:
        """Which shard of a recording it is; None if it is none."""
        text = self.config.get("shard")
        return None if text is None else Shard.parse(text)

    def missing(self, found: Collection[int]) -> list[int]:
        """Numbers of the episodes that a complete dataset should have and that are not found."""
        return sorted(set(range(self.episodes)).difference(found, self.removed)) if self.complete else []


def stored_spec(folder: Path) -> EnvSpec:
    """The spec in the dataset.json of a folder, which is read once, and again if it is replaced.

    Raises:
        DatasetError: As of `DatasetInfo.read`.
    """
    found = (folder / DATASET_JSON).stat()
    return _spec_of_version(folder, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache
def _spec_of_version(folder: Path, version: tuple[int, int, int]) -> EnvSpec:
    return DatasetInfo.read(folder).env_spec


def dataset_folder(episode: Path) -> Path | None:
    """The folder of the dataset that an episode, a file or FILE/demo_I, lies in; None if it lies in none."""
    file = episode.parent if episode.parent.is_file() else episode
    folders = [file.parent, *([file.parent.parent] if file.parent.name in (FAILURES, PARTS, EXTRAS) else [])]
    return next((folder for folder in folders if (folder / DATASET_JSON).is_file()), None)
