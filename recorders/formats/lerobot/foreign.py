"""Reads the episodes of a LeRobot dataset that another program wrote: it has no simulation states."""

from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from ambidex.envs.types import EnvSpec, Episode, Float32Array
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR, DatasetInfo
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.formats.foreign.episode import ROBOTS, ForeignEpisode, foreign_info, foreign_spec
from ambidex.recorders.formats.lerobot.frames import FrameSource, LeRobotFrames, PngFrames, VideoFrames
from ambidex.recorders.formats.lerobot.index import DatasetIndex, Feature, read_index
from ambidex.recorders.formats.lerobot.layout import PREFIX, SUCCESS, episode_number
from ambidex.recorders.formats.lerobot.tables import png_files, read_columns, vectors
from ambidex.recorders.hdf5.reading import reading

UNKNOWN = "unknown"
CLOCK_TOLERANCE_S = 2e-3  # between a row's timestamp and its number over the rate: float32 has 1e-4 s after 20 minutes


def episode_paths(directory: Path) -> dict[int, Path]:
    """The episodes of a dataset, as FOLDER/episode_I.

    Raises:
        DatasetError: As of `read_index`.
    """
    return {number: directory / f"{PREFIX}{number}" for number in range(len(read_index(directory).episodes))}


def dataset_info(directory: Path) -> DatasetInfo:
    """The dataset.json that the dataset would have.

    Raises:
        DatasetError: As of `read_index`.
    """
    index = read_index(directory)
    spec = spec_of(directory, index)
    return foreign_info(spec, name="lerobot", storage=storage_of(index), episodes=len(index.episodes))


def spec_of(directory: Path, index: DatasetIndex) -> EnvSpec:
    """The spec of the environment, as far as the dataset says. Its family is empty for a robot that is none of ours."""
    state, action = index.features[index.state], index.features[index.action]
    state_names, action_names = _dimensions(state, "state"), _dimensions(action, "action")
    control = "joint" if state.shape == action.shape else "ee"
    unknown = ("", index.robot or UNKNOWN, control)
    family, robot, control = ROBOTS.get((state_names, action_names), unknown)
    return foreign_spec(
        task=directory.resolve().name,
        family=family,
        robot=robot,
        control=control,
        control_hz=index.fps,
        horizon=max((episode.steps for episode in index.episodes), default=1),
        cameras=tuple(index.cameras),
        image_size=index.image_size,
        instruction=INSTRUCTION_SEPARATOR.join(dict.fromkeys(episode.instruction for episode in index.episodes)),
        action_names=action_names,
        joint_names=state_names,
    )


def storage_of(index: DatasetIndex) -> str:
    """How images are stored: "video" or "png"."""
    return "video" if any(index.features[key].dtype == "video" for key in index.cameras.values()) else "png"


class LeRobotDemonstration(ForeignEpisode):
    """An episode of another program's dataset, FOLDER/episode_I. All rows have been read when it is open.

    Raises:
        DatasetError: A file of it is missing or damaged, or its rows are of another rate or number.
    """

    _frames: LeRobotFrames

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = read_index(path.parent)
        self._number = episode_number(path)
        if self._number >= len(self._index.episodes):
            problem = f"{path}: the dataset has {len(self._index.episodes)} episodes, from 0."
            raise DatasetError(problem, "Name one of them.", path=path)
        self._place = self._index.episodes[self._number]
        self.spec = replace(spec_of(path.parent, self._index), instruction=self._place.instruction)
        self.steps = self._place.steps
        self._rows = self._read_rows()
        sources = {camera: self._source(camera) for camera in self.cameras}
        self._frames = LeRobotFrames(sources, storage_of(self._index), path.name)
        self._frames.check(path, self.steps, self.spec.image_size)

    @cached_property
    def episode(self) -> Episode:
        return self._episode(
            seed=self._number,
            success=self._succeeded(),
            qpos=self._vectors(self._index.state),
            actions=self._vectors(self._index.action),
        )

    def close(self) -> None:
        self._frames.close()

    def _read_rows(self) -> dict[str, Float32Array]:
        """The rows of the episode, by feature, checked for number and rate."""
        file, index = self._place.rows, self._index
        names = (index.state, index.action, *((SUCCESS,) if SUCCESS in index.features else ()))
        columns = _columns_of(file, ("episode_index", "frame_index", "timestamp", *names))
        chosen = {name: column[columns["episode_index"][:, 0] == self._number] for name, column in columns.items()}
        if len(chosen["timestamp"]) != self.steps:
            got = len(chosen["timestamp"])
            problem = f"{file} has {got} rows of episode {self._number}, expected {self.steps}."
            raise DatasetError(problem, repair_hint(file), path=file, got=got, expected=self.steps)
        self._check_clock(file, chosen["timestamp"][:, 0])
        with reading(file, f"column frame_index, episode {self._number}"):
            if (chosen["frame_index"][:, 0] != np.arange(self.steps)).any():
                raise ValueError(f"the rows are not in the order 0 to {self.steps - 1}")
        return chosen

    def _check_clock(self, file: Path, timestamps: Float32Array) -> None:
        late = np.abs(timestamps - np.arange(self.steps) / self._index.fps)
        if not (late <= CLOCK_TOLERANCE_S).all():  # also of NaN
            step = float(np.median(np.diff(timestamps))) if self.steps > 1 else 0.0
            problem = (
                f"{file}: the rows of episode {self._number} begin at {timestamps[0]:.4f} s and are {step:.4f} s "
                f"apart, expected 0 and {1 / self._index.fps:.4f} at the dataset's {self._index.fps:g} per second."
            )
            hint = "All episodes of a dataset have one rate: leave this one out or resample it."
            raise DatasetError(problem, hint, path=file, episode=self._number, got=step, expected=1 / self._index.fps)

    def _vectors(self, name: str) -> Float32Array:
        array, width = self._rows[name], self._index.features[name].shape[0]
        with reading(self._place.rows, f"column {name}, episode {self._number}"):
            if array.shape[1] != width or not np.isfinite(array).all():
                raise ValueError(f"got {array.shape[1]} numbers a row or some not finite, expected {width}")
        return array

    def _succeeded(self) -> bool:
        return SUCCESS not in self._rows or bool(self._rows[SUCCESS].any())

    def _source(self, camera: str) -> FrameSource:
        if camera in self._place.videos:
            video, start_s = self._place.videos[camera]
            return VideoFrames(video, self._index.fps, start_s)
        key, file, number = self._index.cameras[camera], self._place.rows, self._number
        return PngFrames(file, key, lambda: png_files(file, key, number))


def _dimensions(feature: Feature, name: str) -> tuple[str, ...]:
    return feature.dimensions or tuple(f"{name}_{i}" for i in range(feature.shape[0]))


def _columns_of(file: Path, names: tuple[str, ...]) -> dict[str, Float32Array]:
    """Columns of a file that holds many episodes, each as (rows, n); the last few files stay in memory."""
    version = (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else None
    return _cached_columns(file, names, version)


@lru_cache(maxsize=4)
def _cached_columns(file: Path, names: tuple[str, ...], version: object) -> dict[str, Float32Array]:
    columns = read_columns(file, names)
    return {name: vectors(file, name, columns) for name in names}
