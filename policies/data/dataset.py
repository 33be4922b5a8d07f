"""Reads recorded datasets into one table of episodes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec, Episode, Float32Array
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.episode_table import EpisodeEntry, EpisodeTable
from ambidex.recorders.dataset.dataset import Dataset, dataset_folders, shell_arguments
from ambidex.text import first_few

Loaded = tuple[EpisodeEntry, Float32Array, Float32Array, Float32Array]
ACTIONS: Mapping[str, Callable[[Episode], Float32Array]] = {
    "joint": lambda episode: episode.joint_actions,
    "ee": lambda episode: episode.ee_actions,
}
"""Control mode -> the actions of an episode in it."""


def read_tables(directories: Sequence[Path], *, multi_embodiment: bool) -> tuple[EpisodeTable, ...]:
    """The successful episodes of some datasets, a table for each robot, in the order in which they are first named.

    Args:
        directories: The datasets.
        multi_embodiment: Whether there may be several robots.

    Raises:
        UsageError: As `read_table`.
        DatasetError: As `read_table`.
        UnknownNameError: As `read_table`.
    """
    check_directories(directories)
    robots: dict[str, list[Dataset]] = {}
    for dataset in map(Dataset, directories):
        robots.setdefault(embodiment_of(dataset.spec) if multi_embodiment else "", []).append(dataset)
    return tuple(_table(datasets) for datasets in robots.values())


def read_table(directories: Sequence[Path]) -> EpisodeTable:
    """The successful episodes of some datasets of one robot, in the order given.

    Raises:
        UsageError: No dataset is named, one is named twice or missing, or they do not fit together.
        DatasetError: A dataset is damaged, has no successful episode, or one from a benchmark's seed.
        UnknownNameError: It is of another control mode than those of `ACTIONS`.
    """
    (table,) = read_tables(directories, multi_embodiment=False)
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
                f"them, --data {shell_arguments(inside)}, or name some."
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


# FOLDED policies.training_data.merged_spec: One EnvSpec for several datasets, or a list of what they disagree on.

INSTRUCTION_SEPARATOR = "; "
"""What stands between the instructions of several datasets in the spec of them all."""
MUST_BE_SAID = ("spread", "success", "settle_steps")
"""Fields in which datasets may differ, but not in silence."""
MUST_AGREE = ("family", "robot", "control", "control_hz", "action_names", "joint_names")


def merged_spec(specs: Mapping[Path, EnvSpec]) -> EnvSpec:
    """What all datasets have in common: the cameras of all, and the objects if all have the same.

    Raises:
        UsageError: They cannot be trained on together; the message lists the differences.
    """
    first_path, first = next(iter(specs.items()))
    differing = {path: found for path, spec in specs.items() if (found := _differences(first, spec))}
    if differing:
        lines = [f"{path} differs from {first_path} in {first_few(found)}" for path, found in differing.items()]
        raise UsageError(f"These datasets cannot be trained on together: {first_few(lines)}. {_remedy(specs.values())}")
    return _merge(first, list(specs.values()))


def said_differences(specs: Mapping[Path, EnvSpec]) -> list[str]:
    """What a person should know of datasets that are trained on together, a sentence each."""
    return [
        f"The datasets differ in {name}, and are trained on together: "
        + "; ".join(f"{path} has {getattr(spec, name)}" for path, spec in specs.items())
        for name in MUST_BE_SAID
        if len({getattr(spec, name) for spec in specs.values()}) > 1
    ]


def _differences(first: EnvSpec, other: EnvSpec) -> list[str]:
    """Of several robots, only that and in which fields; else with what they have, long names by their number."""
    names = list(MUST_AGREE)
    if set(first.cameras) & set(other.cameras):
        names.append("image_size")
    differing = [name for name in names if getattr(first, name) != getattr(other, name)]
    if first.robot == other.robot:
        return [f"{name}: {_pair(getattr(first, name), getattr(other, name))}" for name in differing]
    also = f" (and {', '.join(name for name in differing if name != 'robot')})" if len(differing) > 1 else ""
    return [f"robot: {first.robot!r} != {other.robot!r}{also}"]


def _pair(first: object, other: object) -> str:
    if not (isinstance(first, tuple) and all(isinstance(name, str) for name in first) and isinstance(other, tuple)):
        return f"{first!r} != {other!r}"
    apart = [f"{own} != {theirs}" for own, theirs in zip(first, other, strict=False) if own != theirs]
    return f"{len(first)} names != {len(other)}" if len(first) != len(other) else ", ".join(apart[:1])


def _remedy(specs: Iterable[EnvSpec]) -> str:
    if len({embodiment_of(spec) for spec in specs}) > 1:
        return "Train on those that agree; several robots: --policy uniact."
    return "Train on those that agree, or record or render the others again with the same flags."


def _merge(first: EnvSpec, specs: Sequence[EnvSpec]) -> EnvSpec:
    same_objects = len({spec.object_names for spec in specs}) == 1
    return replace(
        first,
        task="+".join(dict.fromkeys(spec.task for spec in specs)),
        instruction=INSTRUCTION_SEPARATOR.join(dict.fromkeys(spec.instruction for spec in specs)),
        horizon=max(spec.horizon for spec in specs),
        cameras=tuple(name for name in first.cameras if all(name in spec.cameras for spec in specs)),
        stages=first.stages if len({spec.stages for spec in specs}) == 1 else (),
        object_names=first.object_names if same_objects else (),
    )
