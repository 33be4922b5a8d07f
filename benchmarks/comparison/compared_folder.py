"""A results folder that is compared with others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.given_results import given_rows
from ambidex.benchmarks.results_folder import RESULTS, SUMMARY
from ambidex.benchmarks.running.benchmark_info import NAME, BenchmarkInfo
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec, Outcome

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
        finished: The summary says that every episode asked for is there.
    """

    letter: str
    path: Path
    rows: Mapping[Key, EpisodeRow]
    specs: Mapping[str, EnvSpec]
    finished: bool

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
        specs = BenchmarkInfo.read(path).env_specs if (path / NAME).exists() else {}
        return cls(letter=letter, path=path, rows=rows, specs=specs, finished=_finished(path / SUMMARY))

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
        unfinished = f"{self.title} is not finished: no summary says that every episode asked for is there."
        unknown = (
            f"{self.title} has no {NAME}: that its tasks were posed as in the others is known from the starts alone."
        )
        return [*([] if self.finished else [unfinished]), *([] if self.specs else [unknown])]

    @property
    def versions(self) -> dict[str, str]:
        """Package -> version, all that occurred."""
        seen: dict[str, set[str]] = {}
        for row in self.rows.values():
            for package, version in row.versions.items():
                seen.setdefault(package, set()).add(version)
        return {package: " and ".join(sorted(found)) for package, found in sorted(seen.items())}


def _finished(summary: Path) -> bool:
    try:
        return json.loads(summary.read_text(encoding="utf-8"))["complete"] is True
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{summary} cannot be read as a summary ({type(error).__name__}: {error}). Remove it and run the benchmark "
            "again with --resume, which writes it anew."
        ) from error


def _policy(row: EpisodeRow) -> str:
    return ", ".join(filter(None, (row.policy, row.execution)))
