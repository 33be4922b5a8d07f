"""Reads recorded datasets into tables of episodes, one for each embodiment."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from ambidex.envs.registry import FAMILIES, with_control
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec, Episode, Float32Array
from ambidex.errors import DatasetError, UsageError, check_name
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.episode_table import EpisodeEntry, EpisodeTable
from ambidex.policies.run_folder import TASK_SEPARATOR
from ambidex.recorders.dataset.dataset import (
    Dataset,
    dataset_folders,
    dataset_info,
    dataset_notes,
    is_foreign,
    shell_arguments,
)
from ambidex.recorders.dataset.info import DATASET_JSON, INSTRUCTION_SEPARATOR
from ambidex.text import first_few, pluralize

Loaded = tuple[EpisodeEntry, Float32Array, Float32Array, Float32Array]
ACTIONS: Mapping[str, Callable[[Episode], Float32Array]] = {
    "joint": lambda episode: episode.joint_actions,
    "ee": lambda episode: episode.ee_actions,
}
"""Control mode -> the actions of an episode in it."""
MUST_AGREE = ("family", "robot", "control", "control_hz", "action_names", "joint_names", "dynamics")
REPORTED_DIFFERENCES = ("spread", "success", "settle_steps")
"""Fields in which datasets may differ; training reports it."""


def read_tables(
    directories: Sequence[Path], *, multi_embodiment: bool, control: str | None = None, exclude: Sequence[Path] = ()
) -> tuple[EpisodeTable, ...]:
    """The successful episodes of some datasets, one table for each embodiment, in the order of `directories`.

    Args:
        directories: The datasets.
        multi_embodiment: The policy learns several embodiments; otherwise all datasets are of one.
        control: Control mode of the actions; None for that of each recording.
        exclude: Episodes to leave out, files or FILE/demo_I. They are not opened.

    Raises:
        UsageError: No dataset is named, one is named twice or missing, they do not fit together, one has no actions of
            the control mode, or an episode to leave out is in none of them.
        DatasetError: A dataset is damaged, has no successful episode, one of a benchmark's seed, or one that is there
            twice.
        UnknownNameError: It is of another control mode than those of `ACTIONS`.
    """
    check_directories(directories)
    datasets = [Dataset(directory) for directory in directories]
    excluded = _excluded(datasets, exclude)
    groups: dict[str, dict[Dataset, EnvSpec]] = {}
    for dataset in datasets:
        spec = _spec_under(control, dataset)
        groups.setdefault(embodiment_of(spec) if multi_embodiment else "", {})[dataset] = spec
    tables = tuple(_table(group, excluded) for group in groups.values())
    _check_duplicates([entry for table in tables for entry in table.entries])
    return tables


def check_directories(directories: Sequence[Path]) -> None:
    """Check that the folders are datasets, before anything is read.

    Raises:
        UsageError: No dataset is named, one is named twice, or a folder is not a dataset.
    """
    if not directories:
        raise UsageError(
            "No dataset is given.", "Name folders that record-episodes wrote: --data DIR ...", field="data"
        )
    resolved = [directory.resolve() for directory in directories]
    if len(set(resolved)) < len(resolved):
        raise UsageError(f"--data names a dataset twice: {' '.join(map(str, directories))}.", "Name each once.")
    for directory in directories:
        if not (directory.is_dir() or is_foreign(directory)):
            problem = "it is a file" if directory.exists() else "there is no such folder"
            hint = "Expected a folder that record-episodes wrote, for instance data/transfer_cube."
            raise UsageError(f"--data {directory}: {problem}.", hint, path=directory)
        inside = dataset_folders(directory)
        if not inside:
            problem = f"--data {directory}: it is not a dataset, it has no {DATASET_JSON}."
            raise UsageError(problem, "Expected a folder that record-episodes wrote.", path=directory)
        if inside != [directory]:
            hint = f"To train on all of them give --data {shell_arguments(inside)}, or name some."
            problem = f"--data {directory}: it is not a dataset but contains {len(inside)}."
            raise UsageError(problem, hint, path=directory, expected=inside)


def merge_specs(specs: Mapping[Path, EnvSpec]) -> EnvSpec:
    """One spec for several datasets: the cameras that all have, and the objects if all have the same.

    Raises:
        UsageError: They cannot be trained on together; the message lists the differences.
    """
    first_path, first = next(iter(specs.items()))
    differing = {path: found for path, spec in specs.items() if (found := _differences(spec, first))}
    if differing:
        lines = [f"{path} differs from {first_path} in {first_few(found)}" for path, found in differing.items()]
        several = len({embodiment_of(spec) for spec in specs.values()}) > 1
        other = "with --policy uniact on several embodiments" if several else "record or render the others again"
        if several and len({spec.robot for spec in specs.values()}) == 1:
            other = "on the actions of one control mode with --control"
        problem = f"These datasets cannot be trained on together: {first_few(lines)}."
        raise UsageError(problem, f"Train on those that agree, or {other}.", got=differing)
    return _merge(first, list(specs.values()))


def remarks(table: EpisodeTable) -> list[str]:
    """Sentences on what to know of the data: differences, unfinished datasets, episodes with the same initial state."""
    unfinished = [str(path) for path in table.specs if not dataset_info(path).complete]
    counts = Counter(entry.initial_state for entry in table.entries)
    shared = sum(count for count in counts.values() if count > 1)
    return [
        *_reported_differences(table.specs),
        *(note for path in table.specs for note in dataset_notes(path)),
        *(f"{path} is not complete: it is being recorded, or was interrupted." for path in unfinished),
        *(
            f"{pluralize(shared, 'episode')} of {len(table.entries)} share their initial state with others, and are "
            "either all trained on or all held out."
            for _ in range(shared > 0)
        ),
    ]


def _reported_differences(specs: Mapping[Path, EnvSpec]) -> list[str]:
    """One sentence for each field of `REPORTED_DIFFERENCES` in which datasets differ."""
    return [
        f"The datasets differ in {name}, and are trained on together: "
        + "; ".join(f"{path} has {getattr(spec, name)}" for path, spec in specs.items())
        for name in REPORTED_DIFFERENCES
        if len({getattr(spec, name) for spec in specs.values()}) > 1
    ]


def _spec_under(control: str | None, dataset: Dataset) -> EnvSpec:
    """The spec of a dataset, with the action names of the control mode to train."""
    spec = dataset.spec
    if control in (None, spec.control):
        return spec
    if not spec.family:
        problem = f"--control {control}: the actions of {dataset.directory} are of the mode {spec.control} only."
        raise UsageError(problem, "Leave out --control.", path=dataset.directory, got=spec.control, expected=control)
    if control == "ee" and not FAMILIES[spec.family].ee_is_pose:
        problem = f"--control ee: {dataset.directory} holds joint commands only; it was recorded under joint control."
        hint = "Leave out --control, or record another dataset with record-episodes --control ee."
        raise UsageError(problem, hint, path=dataset.directory, got=spec.control, expected=control)
    return with_control(spec, str(control))


def _excluded(datasets: Sequence[Dataset], exclude: Sequence[Path]) -> set[Path]:
    """The paths of `exclude` as the datasets have them."""
    if not exclude:
        return set()
    episodes = {path.resolve(): path for dataset in datasets for path in dataset.paths}
    unknown = [path for path in exclude if path.resolve() not in episodes]
    if unknown:
        problem = f"--exclude-episodes {unknown[0]}: no dataset of --data has this episode."
        raise UsageError(problem, f"Name it like {next(iter(episodes.values()), 'DIR/episode_0.hdf5')}.", got=unknown)
    return {episodes[path.resolve()] for path in exclude}


def _check_duplicates(entries: Sequence[EpisodeEntry]) -> None:
    """Refuse episodes that are there twice. Other looks of an episode are none: they are held out together."""
    first: dict[tuple[object, ...], Path] = {}
    twice = [
        (path, entry.path) for entry in entries if (path := first.setdefault(_key(entry), entry.path)) != entry.path
    ]
    if twice:
        (one, other), number = twice[0], pluralize(len(twice), "episode")
        problem = f"--data has {number} twice: {other} has the task, seed and states of {one}."
        hint = "Give only one of two copies or renderings of a dataset, or leave episodes out with --exclude-episodes."
        raise DatasetError(problem, hint, path=other, got=tuple(twice))


def _key(entry: EpisodeEntry) -> tuple[object, ...]:
    return entry.task, entry.seed, entry.states_sha256, entry.perturb, entry.look


def _table(datasets: Mapping[Dataset, EnvSpec], excluded: Collection[Path]) -> EpisodeTable:
    specs = {dataset.directory: spec for dataset, spec in datasets.items()}
    spec = merge_specs(specs)
    loaded = [item for dataset in datasets for item in _load(dataset, spec.control, bool(spec.object_names), excluded)]
    entries, qpos, objects, actions = zip(*loaded, strict=True)
    return EpisodeTable(
        spec=spec,
        specs=specs,
        entries=entries,
        qpos=np.concatenate(qpos),
        objects=np.concatenate(objects),
        actions=np.concatenate(actions),
    )


def _load(dataset: Dataset, control: str, objects: bool, excluded: Collection[Path]) -> list[Loaded]:
    loaded = []
    for path in dataset.paths:
        if path not in excluded:
            with dataset.format.open(path) as stored:
                loaded += [_fields(path, stored.episode, control, objects)] if stored.episode.success else []
    if not loaded:
        folder, attempts = dataset.directory, dataset.info.attempts
        files = f"{len(dataset)} files" + (", some of them excluded" if excluded else "")
        problem = f"{folder} has no successful episode: {files}, {attempts} attempts."
        raise DatasetError(problem, "Record at least one with record-episodes.", path=folder)
    return loaded


def _fields(path: Path, episode: Episode, control: str, objects: bool) -> Loaded:
    if episode.seed >= FIRST_BENCHMARK_SEED:
        problem = (
            f"{path} is of seed {episode.seed}, but seeds from {FIRST_BENCHMARK_SEED} are held out for benchmarks."
        )
        hint = f"Train on episodes of seeds 0 to {FIRST_BENCHMARK_SEED - 1}."
        raise DatasetError(problem, hint, path=path, seed=episode.seed)
    check_name("control mode", control, ACTIONS)
    instruction = episode.spec.instruction
    states, initial_state = _identity(episode)
    entry = EpisodeEntry(
        path=path,
        steps=episode.steps,
        seed=episode.seed,
        instruction=instruction,
        task=episode.spec.task,
        states_sha256=states,
        initial_state_sha256=initial_state,
        perturb=episode.spec.perturb,
        look=episode.look,
    )
    return entry, episode.qpos, episode.objects if objects else episode.objects[:, :0], ACTIONS[control](episode)


def _identity(episode: Episode) -> tuple[str, str]:
    """SHA-256 of the states and of the first, or of the first of the failed episode that it continues.

    Without states both are of all that is known, as arms often start alike.
    """
    if episode.states.size:
        first = sha256(episode.states[0].tobytes()).hexdigest()
        failed = episode.taken_over
        return sha256(episode.states.tobytes()).hexdigest(), failed.initial_state_sha256 if failed else first
    known = sha256(episode.qpos.tobytes() + episode.actions.tobytes()).hexdigest()
    return known, known


def _differences(spec: EnvSpec, first: EnvSpec) -> list[str]:
    """Differences with their values, or for another robot only their names; of long tuples, the first difference."""
    names = [*MUST_AGREE, *(["image_size"] if set(spec.cameras) & set(first.cameras) else [])]
    differing = [name for name in names if getattr(spec, name) != getattr(first, name)]
    if spec.robot == first.robot:
        return [f"{name}: {_values(getattr(spec, name), getattr(first, name))}" for name in differing]
    also = f" (and {', '.join(name for name in differing if name != 'robot')})" if len(differing) > 1 else ""
    return [f"robot: {spec.robot!r} != {first.robot!r}{also}"]


def _values(first: object, other: object) -> str:
    if not (isinstance(first, tuple) and all(isinstance(name, str) for name in first) and isinstance(other, tuple)):
        return f"{first!r} != {other!r}"
    if len(first) != len(other):
        return f"{len(first)} names != {len(other)}"
    return next(f"{a} != {b}" for a, b in zip(first, other, strict=True) if a != b)


def _merge(first: EnvSpec, specs: Sequence[EnvSpec]) -> EnvSpec:
    same_objects = len({spec.object_names for spec in specs}) == 1
    return replace(
        first,
        task=TASK_SEPARATOR.join(dict.fromkeys(spec.task for spec in specs)),
        instruction=INSTRUCTION_SEPARATOR.join(dict.fromkeys(spec.instruction for spec in specs)),
        horizon=max(spec.horizon for spec in specs),
        cameras=tuple(name for name in first.cameras if all(name in spec.cameras for spec in specs)),
        stages=first.stages if len({spec.stages for spec in specs}) == 1 else (),
        object_names=first.object_names if same_objects else (),
    )
