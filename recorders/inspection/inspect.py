"""Inspects datasets: what `inspect-dataset` does, from Python."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ambidex.envs.types import EnvSpec, Float32Array, Outcome
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.dataset import dataset_folders, dataset_info, dataset_notes, is_foreign
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.files import dataset_size
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.registry import FORMATS, foreign_kind, format_named, format_of, open_episode
from ambidex.recorders.inspection.dimensions import (
    Dimension,
    are_increments,
    continuous_quaternions,
    dimensions,
    duplicates,
    idle_steps,
    is_gripper,
    jumps,
)
from ambidex.recorders.verification.verify import episode_files
from ambidex.text import first_few, pluralize


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """The trajectory of one episode.

    Attributes:
        path: Its path, for `open_episode`.
        name: Its file, relative to the dataset.
        seed: Episode seed, or its number in a dataset of another program.
        outcome: How it ended.
        instruction: The task in words.
        state: Joint positions, shape (T, J) float32.
        action: The agent's actions, shape (T, A) float32.
        perturb: Its perturbations, axes with levels.
        look: Which of several looks of the episode.
        taken_over: Control step at which it continues a failed episode; None if it starts at an initial state.
    """

    path: Path
    name: str
    seed: int
    outcome: Outcome
    instruction: str
    state: Float32Array
    action: Float32Array
    perturb: tuple[str, ...] = ()
    look: int = 0
    taken_over: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of states and actions, and of which look it is."""
        return sha256(self.state.tobytes() + self.action.tobytes() + str(self.look).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class EpisodeSummary:
    """One episode: its file, seed, outcome, control steps, how many of them are idle, perturbations and look.

    `taken_over` is the control step at which it continues a failed episode, None for others.
    """

    name: str
    seed: int
    outcome: Outcome
    steps: int
    idle: int
    perturb: tuple[str, ...]
    look: int
    taken_over: int | None


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What states, actions and metadata of a dataset show. The fields are keys of --json.

    Attributes:
        path: The dataset: a folder or a file.
        format: Registered format.
        task: Task name.
        foreign: Another program wrote it: its task is the name of its folder or file, its seeds number the episodes.
        robot: Registered robot, or how another program calls it.
        control: Control mode.
        control_hz: Control rate [Hz].
        instructions: The tasks in words.
        cameras: Camera names.
        image_size: Height and width [px].
        storage: How images are stored; empty without images.
        disk_bytes: Size of all files [B].
        attempts: Attempted seeds; None if that is unknown.
        episodes: The stored episodes that can be read, failures last.
        state: Joint positions, dimension by dimension.
        action: Actions, likewise.
        problems: What should be mended before training.
        notes: What a user should know.
    """

    path: str
    format: str
    task: str
    foreign: bool
    robot: str
    control: str
    control_hz: float
    instructions: tuple[str, ...]
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    storage: str
    disk_bytes: int
    attempts: int | None
    episodes: tuple[EpisodeSummary, ...]
    state: tuple[Dimension, ...]
    action: tuple[Dimension, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Control steps of all episodes."""
        return sum(episode.steps for episode in self.episodes)

    @property
    def idle(self) -> float:
        """Share of the steps in which nothing moves, 0 to 1."""
        return sum(episode.idle for episode in self.episodes) / max(1, self.steps)


Inspected = tuple[Inspection, Sequence[Track]]


def inspect(path: Path) -> Iterator[Inspected]:
    """Inspect a dataset, the datasets in a folder, or an episode file; images are not read.

    Yields:
        Each dataset with its trajectories.

    Raises:
        DatasetError: There is no dataset, its description is damaged, or none of its episodes can be read.
    """
    if path.is_dir() or is_foreign(path):
        for folder in dataset_folders(path) or [path]:
            yield _inspect(folder, episode_files(folder), dataset_info(folder))
    else:
        yield _inspect(path, episode_files(path), None)


def _inspect(path: Path, files: Sequence[Path], info: DatasetInfo | None) -> Inspected:
    tracks, errors, spec, storage = _read(path, files)
    states, actions = [track.state for track in tracks], [track.action for track in tracks]
    state, action = dimensions(states, spec, action=False), dimensions(actions, spec, action=True)
    idle = idle_steps(states)
    smooth, flips = continuous_quaternions(actions, spec.action_names)
    action_jumps = [] if are_increments(spec) else _jumps("action", tracks, smooth, spec.action_names)
    inspection = Inspection(
        path=str(path),
        format=info.format if info else _format_name(files[0]),
        task=spec.task,
        foreign=foreign_kind(files[0]) is not None,
        robot=spec.robot,
        control=spec.control,
        control_hz=spec.control_hz,
        instructions=tuple(dict.fromkeys(track.instruction for track in tracks)),
        cameras=spec.cameras,
        image_size=spec.image_size,
        storage=storage,
        disk_bytes=_disk_bytes(path),
        attempts=info.attempts if info and info.command else None,
        episodes=tuple(
            EpisodeSummary(
                name=track.name,
                seed=track.seed,
                outcome=track.outcome,
                steps=len(track.state),
                idle=still,
                perturb=track.perturb,
                look=track.look,
                taken_over=track.taken_over,
            )
            for track, still in zip(tracks, idle, strict=True)
        ),
        state=state,
        action=action,
        problems=(*errors, *_duplicates(tracks), *_jumps("state", tracks, states, spec.joint_names), *action_jumps),
        notes=(
            *_notes(path, info),
            *_dimension_notes("state", state),
            *_dimension_notes("action", action),
            *_sign_notes(flips),
        ),
    )
    return inspection, tracks


def _disk_bytes(path: Path) -> int:
    existing = path if path.exists() else path.parent  # of FILE/demo_I and FOLDER/episode_I
    return dataset_size(existing) if existing.is_dir() else existing.stat().st_size


def _read(path: Path, files: Sequence[Path]) -> tuple[list[Track], list[str], EnvSpec, str]:
    """The trajectories that can be read, the errors of the others, and spec and storage of the first."""
    tracks, errors, found = [], [], None
    for file in files:
        try:
            with open_episode(file) as stored:
                found = found or (stored.spec, stored.storage if stored.cameras else "")
                tracks.append(_track(path, file, stored))
        except DatasetError as error:
            errors.append(str(error))
    if found is None or not tracks:
        raise DatasetError(f"{path}: no episode can be read. The first: {errors[0]}", path=path)
    return tracks, errors, *found


def _track(path: Path, file: Path, stored: StoredEpisode) -> Track:
    episode = stored.episode
    return Track(
        path=file,
        name=str(file.relative_to(path)) if file != path and file.is_relative_to(path) else file.name,
        seed=episode.seed,
        outcome=episode.outcome,
        instruction=stored.spec.instruction,
        state=episode.qpos,
        action=episode.actions,
        perturb=stored.spec.perturb,
        look=episode.look,
        taken_over=episode.taken_over.step if episode.taken_over else None,
    )


def _format_name(file: Path) -> str:
    kind, found = foreign_kind(file), type(format_of(file))
    return kind.name if kind else next(name for name in FORMATS if type(format_named(name)) is found)


def _duplicates(tracks: Sequence[Track]) -> list[str]:
    pairs = duplicates([track.digest for track in tracks])
    return [f"{tracks[i].name} has the same states and actions as {tracks[first].name}" for i, first in pairs]


def _jumps(kind: str, tracks: Sequence[Track], values: list[Float32Array], names: Sequence[str]) -> list[str]:
    """One line per dimension that jumps."""
    found: dict[int, list[tuple[int, int]]] = {}
    for episode, step, dimension in jumps(values):
        if not is_gripper(names[dimension]):
            found.setdefault(dimension, []).append((episode, step))
    lines = []
    for dimension, places in sorted(found.items()):
        episode, step = places[0]
        before, after = values[episode][step - 1 : step + 1, dimension]
        lines.append(
            f"{kind} {names[dimension]} jumps {pluralize(len(places), 'time')}, first in {tracks[episode].name} from "
            f"{before:.4g} to {after:.4g} at step {step}"
        )
    return lines


def _dimension_notes(kind: str, found: Sequence[Dimension]) -> list[str]:
    """Which dimensions are constant, which are clipped, and which grippers have another unit, one line each."""
    constant = [f"{each.name} ({each.minimum:.4g})" for each in found if each.constant]
    clipped = [f"{each.name} ({100 * max(each.at_minimum, each.at_maximum):.0f} %)" for each in found if each.clipped]
    lines = [f"{kind} is constant in {first_few(constant, limit=5, separator=', ')}"] if constant else []
    text = first_few(clipped, limit=5, separator=", ")
    lines += [f"{kind} is often at its smallest or largest value in {text} of the steps"] if clipped else []
    openings = [f"{each.name} ({each.minimum:.4g} to {each.maximum:.4g})" for each in found if each.impossible]
    text = first_few(openings, limit=5, separator=", ")
    return [*lines, *([f"{kind} has openings of grippers far from 0 to 1: {text}"] if openings else [])]


def _sign_notes(flips: Mapping[str, int]) -> list[str]:
    return [
        f"action {name} and the rest of its quaternion change sign {pluralize(count, 'time')}: the same rotations, but "
        "other numbers to learn"
        for name, count in flips.items()
    ]


def _notes(path: Path, info: DatasetInfo | None) -> list[str]:
    incomplete = ["recording is not complete"] if info and not info.complete else []
    return [*incomplete, *(dataset_notes(path) if info else ())]
