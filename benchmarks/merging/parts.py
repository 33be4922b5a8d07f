"""Reads the results folders that are to be merged, and checks that they are disjoint parts of one run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Self

from ambidex.benchmarks.evaluation.config import NOT_STORED, BenchmarkConfig
from ambidex.benchmarks.evaluation.resume import DECISIVE_VERSIONS, info_differences
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeKey, format_episodes
from ambidex.benchmarks.results.states import missing_states
from ambidex.errors import UsageError
from ambidex.flags import changed_flags

MAY_DIFFER = NOT_STORED | {"shard", "checkpoint", "device", "init_states", "url"}
"""Flags that say where and how a part was run; checkpoint, device and initial states are compared by content."""
PACKAGES = (*DECISIVE_VERSIONS, "ambidex")
SHORT = 12  # of a SHA-256, enough to tell two apart [characters]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A results folder that is to be merged with others.

    Attributes:
        results: The folder.
        config: The flags that it was made with.
    """

    results: ResultsFolder
    config: BenchmarkConfig

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a folder that run-benchmark wrote, finished or not.

        Raises:
            UsageError: There is no such folder, or it is of a robot or of take-overs.
            DatasetError: It has no episodes or lacks states of one, or it is damaged.
        """
        results = ResultsFolder.open(path)
        if results.of_robot or results.info.take_over:
            kind = "rollouts on a robot" if results.of_robot else "take-overs"
            problem = f"{path} has {kind}, which are not run in shards."
            raise UsageError(problem, "Give results folders of run-benchmark --shard.", path=path)
        for states in (results.states_path(*row.key) for row in results.rows if row.has_states):
            if not states.is_file():
                raise missing_states(states)
        return cls(results=results, config=results.info.settings(COMMAND, BenchmarkConfig))

    @property
    def info(self) -> BenchmarkInfo:
        """What produced the folder."""
        return self.results.info

    @property
    def keys(self) -> set[EpisodeKey]:
        """Its episodes."""
        return {row.key for row in self.results.rows}

    def differences(self, other: "Part") -> list[str]:
        """How another part differs in what must be the same in all, one line each, such as "--seed was 0, now 5"."""
        found = changed_flags(self.config, other.config, ignore=MAY_DIFFER)
        found += info_differences(self.info, other.info, PACKAGES)
        if self.info.fingerprint != other.info.fingerprint:
            was, now = (part.info.fingerprint[:SHORT] or "none" for part in (self, other))
            found.append(f"the fingerprint of the policy was {was}, now {now}")
        was_model, now_model = self._models(), other._models()
        return found + [
            f"the model of {task} was {model[:SHORT]}, now {now_model[task][:SHORT]}"
            for task, model in was_model.items()
            if now_model.get(task, model) != model
        ]

    def _models(self) -> dict[str, str]:
        """Task -> SHA-256 of its model."""
        return {row.task: row.model_sha256 for row in self.results.rows if row.model_sha256}


def read_parts(paths: Sequence[Path]) -> list[Part]:
    """Read the folders; that of the first episode is the first.

    Raises:
        UsageError: There are none, one is of no such kind, two are of different runs, or have the same episode.
        DatasetError: A folder is damaged, or has no episodes.
    """
    if not paths:
        raise UsageError("Expected results folders to merge, got none.", "Name them, e.g. results/act-aloha-shard-*.")
    parts = [Part.read(path) for path in paths]
    _check_same_run(parts)
    for one, other in combinations(parts, 2):
        if common := one.keys & other.keys:
            problem = f"{one.results.path} and {other.results.path} have the same episodes: {format_episodes(common)}."
            raise UsageError(problem, "Leave one of the two out.", got=sorted(common), path=other.results.path)
    position = position_in_run(parts[0].info)
    return sorted(parts, key=lambda part: min(map(position, part.keys)))


def position_in_run(info: BenchmarkInfo) -> Callable[[EpisodeKey], tuple[int, int]]:
    """The key that sorts episodes into the order of a run with one worker."""
    tasks = {task: index for index, task in enumerate(info.env_specs)}
    return lambda key: (tasks.get(key[0], len(tasks)), key[1])


def _check_same_run(parts: Sequence[Part]) -> None:
    first, *others = parts
    found = {str(part.results.path): differences for part in others if (differences := first.differences(part))}
    if found:
        listed = ". ".join(f"In {path} {'; '.join(differences)}" for path, differences in found.items())
        problem = f"These folders are not parts of one run with {first.results.path}. {listed}."
        hint = (
            "Merge folders that were run with the same flags, policy and version of ambidex; of the flags only "
            "--shard, --output-dir and --workers may differ."
        )
        raise UsageError(problem, hint, path=first.results.path, got=found)
