"""Reads recorded datasets into one table of episodes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ambidex.envs.types import FIRST_BENCHMARK_SEED, Episode, Float32Array
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.embodiment import embodiment
from ambidex.policies.training_data.episode_table import EpisodeEntry, EpisodeTable
from ambidex.policies.training_data.merged_spec import merged_spec
from ambidex.recorders.dataset.dataset import Dataset, dataset_folders, in_words

Loaded = tuple[EpisodeEntry, Float32Array, Float32Array, Float32Array]
ACTIONS: Mapping[str, Callable[[Episode], Float32Array]] = {
    "joint": lambda episode: episode.joint_actions,
    "ee": lambda episode: episode.ee_actions,
}
"""Control mode -> the actions of an episode in it."""


def read_tables(directories: Sequence[Path], *, several_robots: bool) -> tuple[EpisodeTable, ...]:
    """The successful episodes of some datasets, a table for each robot, in the order in which they are first named.

    Args:
        directories: The datasets.
        several_robots: Whether there may be several robots.

    Raises:
        UsageError: As `read_table`.
        DatasetError: As `read_table`.
        UnknownNameError: As `read_table`.
    """
    check_directories(directories)
    robots: dict[str, list[Dataset]] = {}
    for dataset in map(Dataset, directories):
        robots.setdefault(embodiment(dataset.spec) if several_robots else "", []).append(dataset)
    return tuple(_table(datasets) for datasets in robots.values())


def read_table(directories: Sequence[Path]) -> EpisodeTable:
    """The successful episodes of some datasets of one robot, in the order given.

    Raises:
        UsageError: No dataset is named, one is named twice or missing, or they do not fit together.
        DatasetError: A dataset is damaged, has no successful episode, or one from a benchmark's seed.
        UnknownNameError: It is of another control mode than those of `ACTIONS`.
    """
    (table,) = read_tables(directories, several_robots=False)
    return table


def _table(datasets: Sequence[Dataset]) -> EpisodeTable:
    specs = {dataset.directory: dataset.spec for dataset in datasets}
    spec = merged_spec(specs)
    loaded = [item for dataset in datasets for item in _load(dataset, spec.control, bool(spec.object_names))]
    entries, qpos, objects, actions = zip(*loaded, strict=True)
    return EpisodeTable(
        spec=spec,
        specs=specs,
        entries=entries,
        qpos=np.concatenate(qpos),
        objects=np.concatenate(objects),
        actions=np.concatenate(actions),
    )


def check_directories(directories: Sequence[Path]) -> None:
    """Refuse what cannot be datasets, before anything is read.

    Raises:
        UsageError: No dataset is named, or one twice, or one is no dataset's folder.
    """
    if not directories:
        raise UsageError("No dataset is given. Name the folders that record-episodes wrote with --data DIR ...")
    resolved = [directory.resolve() for directory in directories]
    if len(set(resolved)) < len(resolved):
        raise UsageError(f"--data names a dataset twice: {' '.join(map(str, directories))}. Name each once.")
    for directory in directories:
        if not directory.is_dir():
            what = "that is a file" if directory.exists() else "there is no such folder"
            raise UsageError(
                f"--data {directory}: {what}. Expected the folder of a dataset that record-episodes wrote, for "
                "instance data/transfer_cube."
            )
        inside = dataset_folders(directory)
        if inside and inside != [directory]:
            raise UsageError(
                f"--data {directory}: that is no dataset itself, but holds {len(inside)}. To train on all of them name "
                f"them, --data {in_words(inside)}, or name some."
            )


def _load(dataset: Dataset, control: str, objects: bool) -> list[Loaded]:
    loaded = []
    for file in dataset:
        if file.episode.success:
            loaded.append(_fields(file.path, file.episode, control, objects))
    if not loaded:
        raise DatasetError(
            f"{dataset.directory} has no successful episode: {len(dataset)} files, {dataset.info.attempts} attempts. "
            "Training needs at least one; record some with record-episodes."
        )
    return loaded


def _fields(path: Path, episode: Episode, control: str, objects: bool) -> Loaded:
    entry = EpisodeEntry(
        path=path,
        steps=episode.steps,
        seed=episode.seed,
        task=episode.spec.task,
        instruction=episode.spec.instruction,
    )
    _check_seed(entry)
    if control not in ACTIONS:
        raise UnknownNameError("control mode", control, tuple(ACTIONS))
    return entry, episode.qpos, episode.objects if objects else episode.objects[:, :0], ACTIONS[control](episode)


def _check_seed(entry: EpisodeEntry) -> None:
    if entry.seed >= FIRST_BENCHMARK_SEED:
        raise DatasetError(
            f"{entry.path} is of seed {entry.seed}, and seeds from {FIRST_BENCHMARK_SEED} are for benchmarks: a policy "
            f"must not be tested on a start it was trained on. Train on episodes of seeds 0 to "
            f"{FIRST_BENCHMARK_SEED - 1}."
        )
