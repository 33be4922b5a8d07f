"""A results folder of a policy that has codes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.evaluation.policy_loading import WEIGHTS, checkpoint_id
from ambidex.benchmarks.results.folder import RESULTS
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo, CheckpointId
from ambidex.benchmarks.results.reading import EpisodeCount, episodes_wanted, given_rows
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.run_folder import CONFIG, find_checkpoint
from ambidex.policies.serving.execution import CODE_PREFIX


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
        if CODE_PREFIX in info.execution:
            raise UsageError(
                f"{path} was played as {info.execution!r}: one code, whatever was seen. That says nothing of how the "
                "policy uses its codes; give results that were made without --code."
            )
        return cls(
            path=path,
            checkpoint=_checkpoint(path, info),
            robots={task: embodiment_of(spec) for task, spec in info.env_specs.items()},
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


# FOLDED benchmarks.codes.codebook_size: How many codes a checkpoint has, without loading it.


def codebook_size(acted: CheckpointId, given: Path | None) -> int:
    """The number of codes of the checkpoint that acted.

    Args:
        acted: Who acted, as the results say.
        given: Where the user says it lies; None for where it lay then.

    Raises:
        UsageError: It is not there, another one is there, or it has no codes.
        CheckpointError: It is damaged.
    """
    if given is None and not (Path(acted.path) / CONFIG).is_file():
        raise UsageError(
            f"The checkpoint of these results is not at {acted.path}, where it lay when they were made: there is no "
            f"{CONFIG}, which says how many codes there are. Say where it is now with --checkpoint RUN; if it is gone, "
            "run the benchmark again with one that is there."
        )
    folder = find_checkpoint(given or Path(acted.path))
    _check_weights(folder, acted)
    return _codes(folder / CONFIG)


def _check_weights(folder: Path, acted: CheckpointId) -> None:
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(
            f"{folder} has no {WEIGHTS}, so whether it made these results cannot be told. Restore the checkpoint from "
            "a copy, or name another place with --checkpoint."
        )
    found = checkpoint_id(folder).sha256
    if found != acted.sha256:
        raise UsageError(
            f"{folder} is not the checkpoint of these results: its {WEIGHTS} has the SHA-256 {found[:12]}..., expected "
            f"{acted.sha256[:12]}... of {acted.path}. Name that one with --checkpoint."
        )


def _codes(config: Path) -> int:
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        codes = values["config"].get("codes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{config} cannot be read: {type(error).__name__}: {error}. Restore the checkpoint from a copy."
        ) from error
    if not isinstance(codes, int) or codes < 1:
        raise UsageError(
            f"{config}: its setting `codes` is {codes!r}, expected the number of codes of a codebook, 1 or more. Give "
            "results and the checkpoint of a policy such as uniact."
        )
    return codes
