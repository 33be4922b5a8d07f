"""Reads results of a policy that has codes, and the size of its codebook."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.evaluation.policy_loading import checkpoint_id
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON, CheckpointId
from ambidex.benchmarks.results.row import RESULTS, EpisodeRow
from ambidex.codec import parse
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.run_folder import CONFIG, MODEL, find_checkpoint
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
        coded = tuple(row for row in results.rows if row.codes)
        if not coded:
            hint = "Give results of a policy that has codes, such as uniact; run older benchmarks again."
            raise DatasetError(f"{path} has no codes: no row of {RESULTS} names one.", hint, path=path)
        info, file = results.info, path / BENCHMARK_JSON
        missing = sorted({row.task for row in results.rows} - set(info.env_specs))
        if missing:
            hint = "Restore both files, or run the benchmark again."
            problem = f"{file} has no spec of {missing[0]}, but {RESULTS} has episodes of it."
            raise DatasetError(problem, hint, path=file, expected=missing[0])
        if CODE_PREFIX in info.execution:
            problem = f"{path} was run with one fixed code ({info.execution!r}), which shows nothing about code usage."
            raise UsageError(problem, "Give results that were made without --code.", path=path, got=info.execution)
        if info.checkpoint is None:
            hint = "Restore the file, or run the benchmark again."
            raise DatasetError(f"{file} names no checkpoint, so the codebook is unknown.", hint, path=file)
        return cls(
            path=path,
            checkpoint=info.checkpoint,
            robots={task: embodiment_of(spec) for task, spec in info.env_specs.items()},
            rows=coded,
            episodes_without_codes=len(results.rows) - len(coded),
            unfinished=results.warning,
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
        problem = f"The checkpoint of these results is not at {expected.path}, where it was when they were made."
        hint = "Give its path now with --checkpoint RUN; if it is gone, run the benchmark again with another one."
        raise UsageError(problem, hint, path=expected.path)
    folder = find_checkpoint(given or Path(expected.path))
    _check_weights(folder, expected)
    return _codes(folder / CONFIG)


def _check_weights(folder: Path, expected: CheckpointId) -> None:
    if not (folder / MODEL).is_file():
        hint = "Restore it from a copy, or give another path with --checkpoint."
        raise CheckpointError(f"{folder} has no {MODEL}, which identifies the checkpoint.", hint, path=folder)
    found = checkpoint_id(folder).sha256
    if found != expected.sha256:
        problem = (
            f"{folder} is not the checkpoint of these results: its {MODEL} has the SHA-256 {found[:12]}..., expected "
            f"{expected.sha256[:12]}... of {expected.path}."
        )
        raise UsageError(problem, "Give that one with --checkpoint.", got=found, expected=expected.sha256)


def _codes(config: Path) -> int:
    try:
        codes = parse(config.read_bytes())["config"].get("codes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{config} cannot be read: {type(error).__name__}: {error}."
        raise CheckpointError(problem, "Restore the checkpoint from a copy.", path=config) from error
    if not isinstance(codes, int) or codes < 1:
        problem = f"{config}: its setting `codes` is {codes!r}, expected the number of codes of a codebook, 1 or more."
        hint = "Give results and the checkpoint of a policy that has codes, such as uniact."
        raise UsageError(problem, hint, path=config, got=codes)
    return codes
