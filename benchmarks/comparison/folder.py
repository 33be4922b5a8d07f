"""Reads one of the results folders that are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON
from ambidex.benchmarks.results.row import RESULTS, EpisodeKey, EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec
from ambidex.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class ComparedFolder:
    """A results folder that is compared with others.

    Attributes:
        letter: Its name in reports, "A", "B" ...
        results: The folder; its path is as the user wrote it.
        rows: Its episodes by (task, seed).
    """

    letter: str
    results: ResultsFolder
    rows: Mapping[EpisodeKey, EpisodeRow]

    @classmethod
    def read(cls, letter: str, path: Path) -> Self:
        """Read a folder that run-benchmark wrote, finished or not.

        Raises:
            UsageError: There is no such folder.
            DatasetError: It has no episodes or those of several policies, or it is damaged.
        """
        results = ResultsFolder.open(path)
        policies = sorted({_policy(row) for row in results.rows})
        if len(policies) > 1:
            problem = f"{path / RESULTS} has episodes of several policies: {'; '.join(policies)}."
            raise DatasetError(problem, "Run each policy into a folder of its own.", path=path, got=policies)
        return cls(letter=letter, results=results, rows={row.key: row for row in results.rows})

    def __repr__(self) -> str:
        return f"<ComparedFolder {self.title}: {self.policy}, {self.tally}>"

    @property
    def specs(self) -> Mapping[str, EnvSpec]:
        """Task -> spec of its environment; empty if the folder has no benchmark.json."""
        return self.results.info.env_specs if self.results.exists else {}

    @property
    def unfinished(self) -> str:
        """That requested episodes are missing, as a predicate; empty if none are."""
        results = self.results
        if results.requested is not None or (results.stored_summary is not None and results.stored_summary.complete):
            return results.unfinished
        return "is not finished: no summary says that all requested episodes are stored."

    @property
    def policy(self) -> str:
        """The policy and how its chunks were executed, e.g. "act, chunk:100"."""
        return _policy(next(iter(self.rows.values())))

    @property
    def title(self) -> str:
        """Letter and path."""
        return f"{self.letter} ({self.results.path})"

    @property
    def tally(self) -> Tally:
        """Tally of all its episodes, compared or not."""
        return Tally.of(list(self.rows.values()))

    @property
    def notes(self) -> list[str]:
        """Reasons to trust the numbers less."""
        unfinished = [f"{self.title} {self.unfinished}"] if self.unfinished else []
        if any(row.seed < FIRST_BENCHMARK_SEED for row in self.rows.values()):
            unfinished.append(f"{self.title} has episodes of training seeds, on which a policy may have been trained.")
        checked = f"{self.title} has no {BENCHMARK_JSON}, so only the initial states of its tasks are checked."
        return unfinished if self.specs else [*unfinished, checked]

    @property
    def versions(self) -> dict[str, str]:
        """Package -> all versions that occur."""
        found: dict[str, set[str]] = {}
        for row in self.rows.values():
            for package, version in row.versions.items():
                found.setdefault(package, set()).add(version)
        return {package: " and ".join(sorted(versions)) for package, versions in sorted(found.items())}


def _policy(row: EpisodeRow) -> str:
    return ", ".join(filter(None, (row.policy, row.execution)))
