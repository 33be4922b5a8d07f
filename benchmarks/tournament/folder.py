"""The folder of a tournament: tournament.json, and an ordinary results folder for each policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.tournament.candidates import Candidate
from ambidex.benchmarks.tournament.rounds import Outcomes, Rule
from ambidex.output_folder import FolderInfo

TOURNAMENT_JSON = "tournament.json"


@dataclass(frozen=True, kw_only=True)
class TournamentInfo(FolderInfo):
    """The content of tournament.json.

    Attributes:
        command: The command line.
        config: Its resolved flags.
        versions: Package -> version.
        rule: What decides which episodes are run.
        tasks: Names of the tasks.
        first_seed: The first seed of every policy.
        candidates: The policies.
    """

    file_name = TOURNAMENT_JSON
    format_version = 1
    folder_kind = "the folder of a tournament"
    written_by = f"{COMMAND} --tournament"

    command: str
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    rule: Rule
    tasks: tuple[str, ...]
    first_seed: int
    candidates: tuple[Candidate, ...]


class TournamentFolder:
    """The folder of a tournament, finished or not.

    Args:
        path: The folder.

    Raises:
        DatasetError: From every method: a file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """The folder has a tournament.json."""
        return (self.path / TOURNAMENT_JSON).is_file()

    @cached_property
    def info(self) -> TournamentInfo:
        """The content of tournament.json."""
        return TournamentInfo.read(self.path)

    def write_info(self, info: TournamentInfo) -> None:
        """Write tournament.json."""
        info.write(self.path)
        self.info = info

    def results(self, policy: int) -> ResultsFolder:
        """The results of a policy, given its index, as they are on disk now."""
        return ResultsFolder(self.path / self.info.candidates[policy].name)

    def outcomes(self, policy: int, seeds: int) -> Outcomes | None:
        """Which of the first so many seeds of a policy succeeded, shape (seeds, tasks); None if some are missing."""
        found = {row.key: row.success for row in self.results(policy).rows}
        first, tasks = self.info.first_seed, self.info.tasks
        keys = [[(task, seed) for task in tasks] for seed in range(first, first + seeds)]
        if not all(key in found for of_seed in keys for key in of_seed):
            return None
        return np.array([[found[key] for key in of_seed] for of_seed in keys], dtype=bool)


def is_tournament(config: BenchmarkConfig) -> bool:
    """Whether the flags ask for a tournament, or to resume one."""
    if config.tournament is not None:
        return True
    folder = config.output_dir
    return bool(config.resume and not config.policy and folder and TournamentFolder(folder).exists)
