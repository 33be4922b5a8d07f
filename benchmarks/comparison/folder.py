"""A results folder that is compared with others."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.results.folder import RESULTS
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.benchmarks.results.reading import EpisodeCount, episodes_wanted, given_rows
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import StoredSummary
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError

Key = tuple[str, int]
"""Task and seed."""


@dataclass(frozen=True, kw_only=True)
class ComparedFolder:
    """A results folder that is compared with others.

    Attributes:
        letter: How reports call it, "A", "B" ...
        path: As the user wrote it.
        rows: Its episodes by (task, seed).
        specs: Task -> spec of the environment; empty if the folder has no benchmark.json.
        unfinished: What is to be said if not every episode that was asked for is there; empty if all are.
    """

    letter: str
    path: Path
    rows: Mapping[Key, EpisodeRow]
    specs: Mapping[str, EnvSpec]
    unfinished: str

    @classmethod
    def read(cls, letter: str, path: Path) -> Self:
        """Read a folder that run-benchmark wrote, finished or not.

        Raises:
            UsageError: There is no such folder.
            DatasetError: It holds no episodes or those of several policies, or it is damaged.
        """
        rows = {(row.task, row.seed): row for row in given_rows(path)}
        policies = sorted({_policy(row) for row in rows.values()})
        if len(policies) > 1:
            raise DatasetError(
                f"{path / RESULTS} holds episodes of several policies: {'; '.join(policies)}. One folder is one "
                "policy; run each into a folder of its own."
            )
        info = BenchmarkInfo.read(path) if (path / BENCHMARK_JSON).exists() else None
        specs = info.env_specs if info is not None else {}
        return cls(letter=letter, path=path, rows=rows, specs=specs, unfinished=_unfinished(path, len(rows), info))

    @property
    def finished(self) -> bool:
        """Every episode that was asked for is there."""
        return not self.unfinished

    @property
    def policy(self) -> str:
        """Who acted and how, e.g. "act, chunk:100"."""
        return _policy(next(iter(self.rows.values())))

    @property
    def title(self) -> str:
        """Letter and path."""
        return f"{self.letter} ({self.path})"

    @property
    def errors(self) -> int:
        """Episodes that broke."""
        return sum(row.outcome is Outcome.ERROR for row in self.rows.values())

    @property
    def notes(self) -> list[str]:
        """What a reader should know before trusting the numbers."""
        unknown = f"{self.title} has no {BENCHMARK_JSON}: that its tasks were posed as in the others is known from the starts alone."
        return [*([] if self.finished else [f"{self.title} {self.unfinished}"]), *([] if self.specs else [unknown])]

    @property
    def versions(self) -> dict[str, str]:
        """Package -> version, all that occurred."""
        seen: dict[str, set[str]] = {}
        for row in self.rows.values():
            for package, version in row.versions.items():
                seen.setdefault(package, set()).add(version)
        return {package: " and ".join(sorted(found)) for package, found in sorted(seen.items())}


def _unfinished(path: Path, there: int, info: BenchmarkInfo | None) -> str:
    wanted = episodes_wanted(info) if info is not None else None
    if wanted is not None:
        return EpisodeCount(folder=path, there=there, wanted=wanted, summed=None).unfinished
    summary = StoredSummary.read(path)
    if summary is not None and summary.complete:
        return ""
    return "is not finished: no summary says that every episode asked for is there."


def _policy(row: EpisodeRow) -> str:
    return ", ".join(filter(None, (row.policy, row.execution)))
