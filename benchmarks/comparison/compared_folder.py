"""A results folder that is compared with others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Self

from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.results_folder import RESULTS, SUMMARY, read_rows
from ambidex.benchmarks.running.benchmark_info import NAME, BenchmarkInfo
from ambidex.envs.errors import DatasetError, UsageError
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.recorders.dataset_info import NAME as DATASET

SHOWN = 5  # folders that are named in a message
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
        rows = {(row.task, row.seed): row for row in read_rows(path)}
        if not rows:
            raise (DatasetError if path.is_dir() else UsageError)(_nothing(path))
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


def _examples(path: Path) -> str:
    """Result folders where `path` was looked for, those of like names first."""
    there = sorted(folder for folder in path.parent.glob("*") if (folder / RESULTS).is_file())
    there.sort(key=lambda folder: SequenceMatcher(None, folder.name, path.name).ratio(), reverse=True)
    if not there:
        return "e.g. results/act-insertion"
    more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
    return f"such as those beside it: {', '.join(map(str, there[:SHOWN]))}{more}"


def _nothing(path: Path) -> str:
    if not path.is_dir():
        return f"There is no folder {path}. Expected a results folder of run-benchmark, {_examples(path)}."
    if (path / DATASET).exists():
        return f"{path} is a dataset of record-episodes. Expected a results folder of run-benchmark, e.g. results/..."
    present = sorted(entry.name for entry in path.iterdir())
    return (
        f"{path} holds no episode: it has no row in {RESULTS}, but {', '.join(present[:5]) or 'nothing at all'}. "
        "Expected a results folder of run-benchmark; if that run was stopped early, go on with it by --resume."
    )
