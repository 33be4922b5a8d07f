"""Verifies datasets: what `verify-episodes` does, from Python."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ambidex.envs.errors import DatasetError
from ambidex.envs.pool import Pool, worker_count
from ambidex.envs.pool_worker import WorkerError
from ambidex.recorders.dataset import Dataset
from ambidex.recorders.dataset_info import NAME as INFO
from ambidex.recorders.destination import FAILURES
from ambidex.recorders.formats import format_of
from ambidex.recorders.libero_place import within_file
from ambidex.recorders.verification import Verification
from ambidex.recorders.verify_worker import VerifyWorker

Verified = tuple[Path, Verification | WorkerError]


def episode_files(path: Path) -> list[Path]:
    """The episode files of a dataset, kept failures last, or of all datasets of a suite's folder, or a file alone.

    Raises:
        DatasetError: There is none.
    """
    if not path.is_dir():
        return _in_file(path)
    if not (path / INFO).exists() and (datasets := sorted(info.parent for info in path.glob(f"*/{INFO}"))):
        return [file for dataset in datasets for file in episode_files(dataset)]
    failures = (path / FAILURES).glob("episode_*.hdf5")
    files = [*Dataset(path).paths, *sorted(failures, key=lambda file: (len(file.name), file.name))]
    if not files:
        raise DatasetError(f"{path} holds no episode yet. Record some first.")
    return files


def _in_file(path: Path) -> list[Path]:
    """The episodes of a file; a path that cannot be read is left to the worker, who says why."""
    try:
        return [path] if within_file(path) else format_of(path).episodes_in(path)
    except DatasetError:
        return [path]


def verify(path: Path, *, ee: bool = True, workers: int | None = None) -> Iterator[Verified]:
    """Replay every episode of a dataset, or one file.

    Args:
        path: Dataset folder or episode file.
        ee: Replay the end-effector actions too.
        workers: Worker processes; None for one per usable CPU, 0 for this process.

    Yields:
        Each file with what came of it, as they finish; a file that cannot be read comes with its error.
    """
    files = episode_files(path)
    with Pool[Path, Verification](partial(VerifyWorker, ee), worker_count(workers, len(files))) as pool:
        for file in files:
            pool.submit(file)
        while pool.pending:
            yield pool.next_result()
