"""Verifies datasets: what `verify-episodes` does, from Python."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ambidex.errors import DatasetError, MissingDatasetError
from ambidex.recorders.dataset.dataset import dataset_folders, dataset_info, dataset_reader
from ambidex.recorders.dataset.files import failure_files
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.libero.layout import is_demo_path
from ambidex.recorders.formats.registry import episode_exists, format_of
from ambidex.recorders.verification.checks import Verification
from ambidex.recorders.verification.worker import VerifyWorker
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

Verified = tuple[Path, Verification | WorkerError]


def verify(*paths: Path, ee: bool = True, pictures: bool = True, workers: int | None = None) -> Iterator[Verified]:
    """Replay every episode of some datasets or files, and read everything that its file holds.

    Args:
        paths: As of `episode_files`.
        ee: Replay the end-effector actions of episodes under joint control too.
        pictures: Read every stored image too.
        workers: Worker processes; None for one per usable CPU, 0 for this process.

    Yields:
        Each episode with its result, as they finish; one that cannot be read with its error.

    Raises:
        DatasetError: As of `episode_files`.
    """
    files = episode_files(*paths)
    with Pool[Path, Verification](partial(VerifyWorker, ee, pictures), worker_count(workers, len(files))) as pool:
        yield from pool.results(files)


def episode_files(*paths: Path) -> list[Path]:
    """The episodes of some datasets, folders and files, each once, stored failures after the successes.

    A path is a dataset, a folder with datasets in it, an episode file, or FILE/demo_I. Missing episodes of a complete
    dataset are included. A file or a dataset that cannot be read is listed itself; the worker reports why.

    Raises:
        DatasetError: A path does not exist, a folder has no dataset in it, or there is no episode at all.
    """
    files = [file for path in paths for file in (_in_folder(path) if path.is_dir() else _in_file(path))]
    if not files:
        raise DatasetError(f"{' '.join(map(str, paths))} has no episodes yet.", "Record some first.", path=paths)
    return list(dict.fromkeys(files))


def _in_folder(path: Path) -> list[Path]:
    datasets = dataset_folders(path)
    if not datasets and (loose := sorted(path.glob("*.hdf5"))):
        problem = f"{path} is not a dataset: it has no dataset.json, only HDF5 files such as {loose[0].name}."
        raise MissingDatasetError(problem, f"To verify those, name them: verify-episodes {path}/*.hdf5", path=path)
    if not datasets:
        DatasetInfo.read(path)  # raises the error that says what is missing
    return [file for dataset in datasets for file in _in_dataset(dataset)]


def _in_dataset(directory: Path) -> list[Path]:
    try:
        return [*_successes(directory), *failure_files(directory)]
    except DatasetError:
        return [directory]


def _successes(directory: Path) -> list[Path]:
    """The successes of a dataset, and if it is complete the paths of missing ones."""
    info = dataset_info(directory)
    file_format = dataset_reader(directory)
    found = file_format.find(directory)
    paths = found | {index: file_format.episode_path(directory, index) for index in info.missing(found)}
    return [paths[index] for index in sorted(paths)]


def _in_file(path: Path) -> list[Path]:
    if not episode_exists(path):
        hint = "Expected a dataset, a folder with datasets in it, an episode file, or FILE/demo_I."
        raise MissingDatasetError(f"{path}: there is no such file or folder.", hint, path=path)
    try:
        return [path] if is_demo_path(path) else format_of(path).episodes_in(path)
    except DatasetError:
        return [path]
