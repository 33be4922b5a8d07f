"""Reads the results folders that are to be merged, and checks that they are disjoint parts of one run."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.evaluation.config import NOT_STORED, BenchmarkConfig
from ambidex.benchmarks.evaluation.resume import DECISIVE_VERSIONS, setup_differences
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeKey, format_episodes
from ambidex.benchmarks.results.states import missing_states
from ambidex.envs.shards import common_items
from ambidex.errors import UsageError
from ambidex.flags import changed_flags
from ambidex.text import in_folders

MAY_DIFFER = NOT_STORED | {"shard", "checkpoint", "device", "init_states", "url"}
"""Flags that say where and how a part was run; checkpoint, device and initial states are compared by content."""
PACKAGES = (*DECISIVE_VERSIONS, "ambidex")
SHORT = 12  # of a SHA-256, enough to tell two apart [characters]
AFTER_ALL = (sys.maxsize, 0)  # the position of a part without episodes


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
            DatasetError: It lacks states of an episode, or it is damaged.
        """
        results = ResultsFolder.open(path, may_be_empty=True)
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
    def keys(self) -> list[EpisodeKey]:
        """Its episodes, sorted."""
        return [row.key for row in self.results.rows]

    @property
    def models(self) -> set[tuple[str, str]]:
        """Tasks with the SHA-256 of their models."""
        return {(row.task, row.model_sha256) for row in self.results.rows if row.model_sha256}

    def differences(self, other: "Part") -> list[str]:
        """How flags, policy, versions and environments of another part differ, such as "--seed: 0 in A, 5 in B"."""
        describe = in_folders(self.results.path, other.results.path)
        found = changed_flags(self.config, other.config, ignore=MAY_DIFFER, describe=describe)
        found += setup_differences(self.info, other.info, PACKAGES, describe)
        if self.info.fingerprint != other.info.fingerprint:
            shown = [part.info.fingerprint[:SHORT] or "none" for part in (self, other)]
            found.append(describe("the fingerprint of the policy", *shown))
        return found


def read_parts(paths: Sequence[Path]) -> list[Part]:
    """Read the folders; that of the first episode is the first, those without episodes are the last ones.

    Raises:
        UsageError: There are none, one is of no such kind, two are of different runs, or have the same episode.
        DatasetError: A folder is damaged.
    """
    if not paths:
        raise UsageError("Expected results folders to merge, got none.", "Name them, e.g. results/act-aloha-shard-*.")
    parts = [Part.read(path) for path in paths]
    for part in parts[1:]:
        _refuse(parts[0], part, parts[0].differences(part))
    _check_models(parts)
    _check_disjoint(parts)
    position = position_in_run(parts[0].info)
    return sorted(parts, key=lambda part: min(map(position, part.keys), default=AFTER_ALL))


def position_in_run(info: BenchmarkInfo) -> Callable[[EpisodeKey], tuple[int, int]]:
    """The key that sorts episodes into the order of a run with one worker."""
    tasks = {task: index for index, task in enumerate(info.env_specs)}
    return lambda key: (tasks.get(key[0], len(tasks)), key[1])


def _check_models(parts: Sequence[Part]) -> None:
    known: dict[str, tuple[str, Part]] = {}
    for part in parts:
        for task, model in sorted(part.models):
            first, owner = known.setdefault(task, (model, part))
            if first != model:
                describe = in_folders(owner.results.path, part.results.path)
                _refuse(owner, part, [describe(f"the model of {task}", first[:SHORT], model[:SHORT])])


def _refuse(one: Part, other: Part, differences: Sequence[str]) -> None:
    """Raise a UsageError that lists the differences of two parts, if there are any."""
    if differences:
        paths = one.results.path, other.results.path
        problem = f"{paths[0]} and {paths[1]} are not parts of one run: {'; '.join(differences)}."
        hint = (
            "Merge shards of one run-benchmark command, run with one version of ambidex. Only --shard, --output-dir, "
            "--workers, --url and the paths of files may differ."
        )
        raise UsageError(problem, hint, paths=paths, differences=tuple(differences))


def _check_disjoint(parts: Sequence[Part]) -> None:
    if found := common_items((part.results.path, part.keys) for part in parts):
        one, other, keys = found
        problem = f"{one} and {other} have the same episodes: {format_episodes(keys)}."
        raise UsageError(problem, "Leave one of the two out.", paths=(one, other), episodes=tuple(keys))
