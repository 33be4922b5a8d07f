"""A results folder of a policy that has codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.episode_count import EpisodeCount, episodes_wanted
from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.given_results import given_rows
from ambidex.benchmarks.results_folder import RESULTS
from ambidex.benchmarks.running.benchmark_info import BENCHMARK_JSON, BenchmarkInfo, CheckpointId
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.compatibility import embodiment
from ambidex.policies.serving.execution import FIXED


@dataclass(frozen=True, kw_only=True)
class CodedFolder:
    """A results folder of a policy that has codes.

    Attributes:
        path: As the user wrote it.
        checkpoint: Who acted.
        robots: Task -> the robot it was played with, in its way of control.
        rows: The episodes that have codes, at least one.
        without: How many episodes have none: they broke before their first action.
        unfinished: What is to be said if not every episode that was asked for is there; empty if all are.
    """

    path: Path
    checkpoint: CheckpointId
    robots: Mapping[str, str]
    rows: tuple[EpisodeRow, ...]
    without: int
    unfinished: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a folder that run-benchmark wrote, finished or not.

        Raises:
            UsageError: There is no such folder, or one code was played whatever was seen.
            DatasetError: It has no codes, or it is damaged.
        """
        rows, info = given_rows(path), BenchmarkInfo.read(path)
        coded = tuple(row for row in rows if row.codes)
        if not coded:
            raise DatasetError(_no_codes(path, info.policy))
        _check_specs(path, rows, info)
        if FIXED in info.execution:
            raise UsageError(
                f"{path} was played as {info.execution!r}: one code, whatever was seen. That says nothing of how the "
                "policy uses its codes; give results that were made without --code."
            )
        return cls(
            path=path,
            checkpoint=_checkpoint(path, info),
            robots={task: embodiment(spec) for task, spec in info.env_specs.items()},
            rows=coded,
            without=len(rows) - len(coded),
            unfinished=EpisodeCount(folder=path, there=len(rows), wanted=episodes_wanted(info), summed=None).warning,
        )


def _checkpoint(path: Path, info: BenchmarkInfo) -> CheckpointId:
    if info.checkpoint is None:
        raise DatasetError(
            f"{path / BENCHMARK_JSON} names no checkpoint, so nobody knows whose codes these are. Restore the file, or run the "
            "benchmark again."
        )
    return info.checkpoint


def _check_specs(path: Path, rows: Iterable[EpisodeRow], info: BenchmarkInfo) -> None:
    missing = sorted({row.task for row in rows} - set(info.env_specs))
    if missing:
        raise DatasetError(
            f"{path / BENCHMARK_JSON} has no spec of {missing[0]}, which {RESULTS} has episodes of. It has those of "
            f"{', '.join(info.env_specs) or 'no task'}. Restore both files, or run the benchmark again."
        )


def _no_codes(path: Path, policy: str) -> str:
    return (
        f"{path} has no codes: of no episode of {policy} does {RESULTS} say which code an action was made from. "
        "Expected results of a policy that has codes, such as uniact, by a run-benchmark that writes them down; older "
        "results must be made again."
    )
