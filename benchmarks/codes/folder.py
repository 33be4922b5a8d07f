"""Reads results of a policy that has codes, and the size of its codebook."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.evaluation.policy_loading import WEIGHTS, checkpoint_id
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo, CheckpointId
from ambidex.benchmarks.results.row import RESULTS, EpisodeRow
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.run_folder import CONFIG, find_checkpoint
from ambidex.policies.serving.execution import CODE_PREFIX


@dataclass(frozen=True, kw_only=True)
class CodedResults:
    """A results folder of a policy that has codes.

    Attributes:
        path: As the user wrote it.
        checkpoint: The policy's checkpoint.
        robots: Task -> its robot and control mode.
        rows: The episodes that have codes, at least one.
        episodes_without_codes: Number of the others: they raised an error before their first action.
        unfinished: A warning if episodes are missing; empty if all are there.
    """

    path: Path
    checkpoint: CheckpointId
    robots: Mapping[str, str]
    rows: tuple[EpisodeRow, ...]
    episodes_without_codes: int
    unfinished: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a folder that run-benchmark wrote, finished or not.

        Raises:
            UsageError: There is no such folder, or all actions were made from one fixed code.
            DatasetError: It has no codes, or it is damaged.
        """
        results = ResultsFolder.open(path)
        rows, info = results.rows, results.info
        coded = tuple(row for row in rows if row.codes)
        if not coded:
            raise DatasetError(
                f"{path} has no codes: no row of {RESULTS} names a code of {info.policy}.",
                "Give results of a policy that has codes, such as uniact; run older benchmarks again.",
                path=path,
                policy=info.policy,
            )
        _check_specs(path, rows, info)
        if CODE_PREFIX in info.execution:
            raise UsageError(
                f"{path} was run with one fixed code ({info.execution!r}), which shows nothing about code usage.",
                "Give results that were made without --code.",
                path=path,
                got=info.execution,
            )
        return cls(
            path=path,
            checkpoint=_checkpoint(path, info),
            robots={task: embodiment_of(spec) for task, spec in info.env_specs.items()},
            rows=coded,
            episodes_without_codes=len(rows) - len(coded),
            unfinished=results.completeness.warning,
        )


def _checkpoint(path: Path, info: BenchmarkInfo) -> CheckpointId:
    if info.checkpoint is None:
        raise DatasetError(
            f"{path / BENCHMARK_JSON} names no checkpoint, so the codebook is unknown.",
            "Restore the file, or run the benchmark again.",
            path=path / BENCHMARK_JSON,
            field="checkpoint",
        )
    return info.checkpoint


def _check_specs(path: Path, rows: Iterable[EpisodeRow], info: BenchmarkInfo) -> None:
    missing = sorted({row.task for row in rows} - set(info.env_specs))
    if missing:
        raise DatasetError(
            f"{path / BENCHMARK_JSON} has no spec of {missing[0]}, but {RESULTS} has episodes of it.",
            "Restore both files, or run the benchmark again.",
            path=path / BENCHMARK_JSON,
            expected=missing[0],
            got=list(info.env_specs),
        )


def codebook_size(expected: CheckpointId, given: Path | None) -> int:
    """The number of codes of a checkpoint, read without loading it.

    Args:
        expected: The checkpoint, as the results name it.
        given: Its path now, if the user gave one; None for the path in the results.

    Raises:
        UsageError: It is not there, another checkpoint is there, or it has no codes.
        CheckpointError: It is damaged.
    """
    if given is None and not (Path(expected.path) / CONFIG).is_file():
        raise UsageError(
            f"The checkpoint of these results is not at {expected.path}, where it was when they were made.",
            "Give its path now with --checkpoint RUN; if it is gone, run the benchmark again with another one.",
            path=expected.path,
        )
    folder = find_checkpoint(given or Path(expected.path))
    _check_weights(folder, expected)
    return _codes(folder / CONFIG)


def _check_weights(folder: Path, expected: CheckpointId) -> None:
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(
            f"{folder} has no {WEIGHTS}, which identifies the checkpoint.",
            "Restore it from a copy, or give another path with --checkpoint.",
            path=folder / WEIGHTS,
        )
    found = checkpoint_id(folder).sha256
    if found != expected.sha256:
        raise UsageError(
            f"{folder} is not the checkpoint of these results: its {WEIGHTS} has the SHA-256 {found[:12]}..., expected "
            f"{expected.sha256[:12]}... of {expected.path}.",
            "Give that one with --checkpoint.",
            path=folder,
            got=found,
            expected=expected.sha256,
        )


def _codes(config: Path) -> int:
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        codes = values["config"].get("codes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{config} cannot be read: {type(error).__name__}: {error}.",
            "Restore the checkpoint from a copy.",
            path=config,
        ) from error
    if not isinstance(codes, int) or codes < 1:
        raise UsageError(
            f"{config}: its setting `codes` is {codes!r}, expected the number of codes of a codebook, 1 or more.",
            "Give results and the checkpoint of a policy that has codes, such as uniact.",
            path=config,
            field="codes",
            got=codes,
        )
    return codes
