"""What another program's LeRobot dataset holds, v3.0 or v2.1: its features, and where each episode is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from ambidex.atomic_files import read_bytes, read_complete_lines
from ambidex.codec import from_json, parse
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.formats.lerobot.layout import IMAGES, INFO, data_file, video_file
from ambidex.recorders.formats.lerobot.tables import read_table
from ambidex.recorders.hdf5.reading import reading

VERSIONS = ("v3.0", "v2.1")
CONVERTER = "Convert it first with LeRobot's own scripts, lerobot.datasets.v21 or v30."
VIDEO_PLACE = ("chunk_index", "file_index", "from_timestamp")
STATES, ACTIONS = ("observation.state", "state"), ("action", "actions")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature as info.json describes it."""

    dtype: str
    shape: tuple[int, ...]
    names: Any = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of its dimensions; empty if it has none, or another number of them."""
        names = next(iter(self.names.values()), None) if isinstance(self.names, dict) else self.names
        if not isinstance(names, list) or len(names) != self.shape[0]:
            return ()
        return tuple(map(str, names))


@dataclass(frozen=True, kw_only=True)
class _Info:
    """What is read of meta/info.json."""

    codebase_version: str
    fps: float
    features: Mapping[str, Feature]
    total_episodes: int
    robot_type: str | None = None
    chunks_size: int = 1000


@dataclass(frozen=True, kw_only=True)
class EpisodePlace:
    """One episode: its length, its tasks in words, the file of its rows, and each camera's video and time in it [s]."""

    steps: int
    tasks: tuple[str, ...]
    rows: Path
    videos: Mapping[str, tuple[Path, float]]

    @property
    def instruction(self) -> str:
        """The first of its tasks; empty if it has none."""
        return next(iter(self.tasks), "")


@dataclass(frozen=True, kw_only=True)
class DatasetIndex:
    """What a dataset holds.

    Attributes:
        fps: Control rate [Hz].
        robot: Its robot; empty if info.json does not say.
        state: Name of the feature of the robot's state.
        action: Name of the feature of actions.
        cameras: Camera -> its feature, those whose images have the size of the first.
        image_size: Their height and width [px].
        features: All features.
        episodes: The episodes, in order.
        notes: What a user should know, one sentence each.
    """

    fps: float
    robot: str
    state: str
    action: str
    cameras: Mapping[str, str]
    image_size: tuple[int, int]
    features: Mapping[str, Feature]
    episodes: tuple[EpisodePlace, ...]
    notes: tuple[str, ...] = field(default=())


def read_index(directory: Path) -> DatasetIndex:
    """What a LeRobot dataset holds; it is read again when info.json changes.

    Raises:
        DatasetError: It is damaged, of another version, or lacks what training needs.
    """
    found = (directory / INFO).stat()
    return _read_index(directory, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=16)
def _read_index(directory: Path, version: tuple[int, int, int]) -> DatasetIndex:
    info = _read_info(directory / INFO)
    state, action = (_named(directory, info, names) for names in (STATES, ACTIONS))
    images = {name: each for name, each in info.features.items() if each.dtype in ("video", "image")}
    size = next((each.shape[:2] for each in images.values()), (1, 1))
    cameras = {name.removeprefix(IMAGES): name for name, each in images.items() if each.shape[:2] == size}
    episodes = (
        _episodes_of_v3(directory, info, cameras)
        if info.codebase_version != "v2.1"
        else _episodes_of_v21(directory, info, cameras)
    )
    if len(episodes) != info.total_episodes:
        problem = f"{directory}: {INFO} counts {info.total_episodes} episodes, its lists of episodes {len(episodes)}."
        raise DatasetError(problem, repair_hint(directory / INFO), path=directory, got=len(episodes))
    return DatasetIndex(
        fps=info.fps,
        robot=info.robot_type or "",
        state=state,
        action=action,
        cameras=cameras,
        image_size=(size[0], size[1]),
        features=info.features,
        episodes=tuple(episodes),
        notes=(
            *_notes(directory, info, [state, action], sorted(set(images) - set(cameras.values()))),
            *_task_notes(directory, episodes),
        ),
    )


def _read_info(path: Path) -> _Info:
    with reading(path, "content"):
        values = parse(read_bytes(path))
        version = values["codebase_version"]
    if not (version in VERSIONS or str(version).startswith("v3.")):
        problem = f"{path}: this is a LeRobot dataset {version}, expected {' or '.join(VERSIONS)}."
        raise DatasetError(problem, CONVERTER, path=path, got=version, expected=VERSIONS)
    with reading(path, "content"):
        described = {name: _known(Feature, values) for name, values in values["features"].items()}
        info = from_json(_Info, _known(_Info, values) | {"features": described})
        if not (info.fps > 0 and info.chunks_size > 0):
            raise ValueError(f"fps {info.fps}, chunks_size {info.chunks_size}: expected more than 0")
        for name, feature in info.features.items():
            if "/" in name or not all(side > 0 for side in feature.shape) or not feature.shape:
                raise ValueError(f"feature {name!r} of shape {feature.shape}")
    return info


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields of a dataclass that a JSON object has; LeRobot's own readers ignore others too."""
    return {each.name: values[each.name] for each in fields(kind) if each.name in values}


def _named(directory: Path, info: _Info, names: Sequence[str]) -> str:
    """The first of some features that the dataset has."""
    for name in names:
        if name in info.features and len(info.features[name].shape) == 1:
            return name
    problem = f"{directory / INFO} has no feature {' or '.join(names)}, but {', '.join(info.features) or 'none'}."
    hint = "Training needs the robot's state and the actions as vectors."
    raise DatasetError(problem, hint, path=directory / INFO, got=tuple(info.features), expected=tuple(names))


def _notes(directory: Path, info: _Info, vectors: Sequence[str], left_out: Sequence[str]) -> list[str]:
    unnamed = [name for name in vectors if not info.features[name].dimensions]
    sentences = []
    if unnamed:
        sentences.append(f"{directory}: {' and '.join(unnamed)} have no names of dimensions, which are numbered.")
    if left_out:
        sentences.append(f"{directory}: {', '.join(left_out)} are left out, whose images are of another size.")
    return sentences


def _task_notes(directory: Path, episodes: Sequence[EpisodePlace]) -> list[str]:
    several = sum(len(episode.tasks) > 1 for episode in episodes)
    if not several:
        return []
    return [f"{directory}: {several} of {len(episodes)} episodes have several tasks; the first is that of all steps."]


def _episodes_of_v3(directory: Path, info: _Info, cameras: Mapping[str, str]) -> list[EpisodePlace]:
    files = sorted(directory.glob("meta/episodes/*/*.parquet"))
    videos = {camera: key for camera, key in cameras.items() if info.features[key].dtype == "video"}
    places = [
        f"videos/{key}/{name}" for key in videos.values() for name in ("chunk_index", "file_index", "from_timestamp")
    ]
    names = ["episode_index", "length", "tasks", "data/chunk_index", "data/file_index", *places]
    episodes: list[EpisodePlace] = []
    for file in files:
        rows = read_table(file, names).to_pylist()
        for row in rows:
            with reading(file, f"row of episode {len(episodes)}"):
                if row["episode_index"] != len(episodes):
                    raise ValueError(f"got episode {row['episode_index']}")
                episodes.append(_place_of_v3(directory, row, videos))
    return episodes


def _place_of_v3(directory: Path, row: Mapping[str, Any], videos: Mapping[str, str]) -> EpisodePlace:
    def video(key: str) -> tuple[Path, float]:
        chunk, file, start_s = (row[f"videos/{key}/{name}"] for name in VIDEO_PLACE)
        return video_file(directory, key, chunk, file), float(start_s)

    return EpisodePlace(
        steps=int(row["length"]),
        tasks=tuple(map(str, row["tasks"] or ())),
        rows=data_file(directory, row["data/chunk_index"], row["data/file_index"]),
        videos={camera: video(key) for camera, key in videos.items()},
    )


def _episodes_of_v21(directory: Path, info: _Info, cameras: Mapping[str, str]) -> list[EpisodePlace]:
    file, episodes = directory / "meta/episodes.jsonl", list[EpisodePlace]()
    for line in read_complete_lines(file):
        with reading(file, f"row of episode {len(episodes)}"):
            row, number = parse(line), len(episodes)
            if row["episode_index"] != number:
                raise ValueError(f"got episode {row['episode_index']}")
            chunk, name = f"chunk-{number // info.chunks_size:03d}", f"episode_{number:06d}"
            videos = {
                camera: (directory / f"videos/{chunk}/{key}/{name}.mp4", 0.0)
                for camera, key in cameras.items()
                if info.features[key].dtype == "video"
            }
            rows = directory / f"data/{chunk}/{name}.parquet"
            tasks = tuple(map(str, row["tasks"] or ()))
            episodes.append(EpisodePlace(steps=int(row["length"]), tasks=tasks, rows=rows, videos=videos))
    return episodes
