"""Verifies datasets: what `verify-episodes` does, from Python."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.dataset import dataset_folders
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import FAILURES
from ambidex.recorders.formats.libero.layout import within_file
from ambidex.recorders.formats.registry import format_named, format_of
from ambidex.recorders.verification.checks import Verification
from ambidex.recorders.verification.worker import VerifyWorker
from ambidex.worker_pool import Pool, WorkerError, worker_count

Verified = tuple[Path, Verification | WorkerError]


def episode_files(*paths: Path) -> list[Path]:
    """The episode files behind some paths, each once: of a dataset, kept failures last, of all in a folder, or a file.

    Args:
        paths: Datasets, folders with datasets in them, episode files, FILE/demo_I.

    Returns:
        The episodes, those too that are missing of a complete dataset; a file or a dataset that cannot be read stands
        for itself. The worker says why.

    Raises:
        DatasetError: A path leads nowhere, a folder has no dataset in it, or there is no episode at all.
    """
    files = [file for path in paths for file in (_in_folder(path) if path.is_dir() else _in_file(path))]
    if not files:
        raise DatasetError(f"{' '.join(map(str, paths))} holds no episode yet. Record some first.")
    return list(dict.fromkeys(files))


def _in_folder(path: Path) -> list[Path]:
    datasets = dataset_folders(path)
    if not datasets and (loose := sorted(path.glob("*.hdf5"))):
        raise DatasetError(
            f"{path} is no dataset: it has no dataset.json. It holds HDF5 files, {loose[0].name} for one; to verify "
            f"those all the same, name them: verify-episodes {path}/*.hdf5"
        )
    if not datasets:
        DatasetInfo.read(path)  # says what is missing
    return [file for dataset in datasets for file in _in_dataset(dataset)]


def _in_dataset(directory: Path) -> list[Path]:
    failures = (directory / FAILURES).glob("episode_*.hdf5")
    try:
        kept = _counted(directory)
    except DatasetError:
        return [directory]
    return [*kept, *sorted(failures, key=lambda file: (len(file.name), file.name))]


def _counted(directory: Path) -> list[Path]:
    """The episodes of a dataset, and where those would be that it counts and that are not there."""
    info = DatasetInfo.read(directory)
    layout = format_named(info.format)
    expected = {index: layout.episode_path(directory, index) for index in range(info.episodes) if info.complete}
    places = expected | layout.find(directory)
    return [places[index] for index in sorted(places)]


def _in_file(path: Path) -> list[Path]:
    if not (path.exists() or within_file(path)):
        raise DatasetError(
            f"{path}: there is no such file or folder. Expected a dataset that record-episodes wrote, a folder with "
            "several, an episode file, or FILE/demo_I for one episode of a LIBERO file."
        )
    try:
        return [path] if within_file(path) else format_of(path).episodes_in(path)
    except DatasetError:
        return [path]


def verify(*paths: Path, ee: bool = True, pictures: bool = True, workers: int | None = None) -> Iterator[Verified]:
    """Replay every episode of some datasets or files, and read all that it holds.

    Args:
        paths: As `episode_files`.
        ee: Replay the end-effector actions too.
        pictures: Read every stored picture too.
        workers: Worker processes; None for one per usable CPU, 0 for this process.

    Yields:
        Each episode with what came of it, as they finish; what cannot be read comes with its error.

    Raises:
        DatasetError: As `episode_files`.
    """
    files = episode_files(*paths)
    with Pool[Path, Verification](partial(VerifyWorker, ee, pictures), worker_count(workers, len(files))) as pool:
        for file in files:
            pool.submit(file)
        while pool.pending:
            yield pool.next_result()
