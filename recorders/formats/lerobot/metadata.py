"""Writes the rows and the metadata of a LeRobot dataset v3.0 from the files of its episodes, after the last of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ambidex.atomic_files import write_json
from ambidex.envs.types import EnvSpec, Episode
from ambidex.recorders.formats.lerobot.layout import (
    ACTION,
    EPISODES,
    FILES_PER_CHUNK,
    INFO,
    STATE,
    STATISTICS,
    SUCCESS,
    TASKS,
    chunk_and_file,
    data_file,
    video_key,
)
from ambidex.recorders.formats.lerobot.reader import LeRobotEpisode
from ambidex.recorders.formats.lerobot.statistics import Statistics, array_statistics, merged, to_lists
from ambidex.recorders.formats.lerobot.tables import column, write_table
from ambidex.recorders.formats.lerobot.writer import ENCODINGS

Arrays = Mapping[str, "npt.NDArray[Any]"]
INDEX_FEATURES = dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")
ROW_FEATURES = {
    "next.reward": "float32",
    "next.done": "bool",
    SUCCESS: "bool",
    "timestamp": "float32",
    **INDEX_FEATURES,
}
"""Features with one number a row."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where an episode is in the dataset: its number, those of its files, its first row, and its task."""

    episode: int
    chunk: int
    file: int
    first_row: int
    task: int


def write_metadata(directory: Path, paths: Mapping[int, Path]) -> None:
    """Write data/ and meta/ of a dataset whose episodes are these, by number. Other readers count them without gaps.

    Until it has ended the dataset has no meta/info.json, so that no program reads a part of it.

    Raises:
        DatasetError: An episode is damaged, or a file cannot be written.
    """
    (directory / INFO).unlink(missing_ok=True)
    if not paths:
        return
    rows, statistics, first_row = [], [], 0
    tasks: dict[str, int] = {}
    for episode, (number, path) in enumerate(paths.items()):
        with LeRobotEpisode(path) as stored:
            chunk, file = chunk_and_file(number)
            task = tasks.setdefault(stored.spec.instruction, len(tasks))
            place = _Place(episode=episode, chunk=chunk, file=file, first_row=first_row, task=task)
            arrays = _arrays(stored.episode, place)
            found = {name: array_statistics(array.reshape(len(array), -1)) for name, array in arrays.items()}
            found |= {video_key(camera): each for camera, each in stored.image_statistics.items()}
            write_table(data_file(directory, chunk, file), _table(arrays))
            rows.append(_episode_row(stored, place, found))
            statistics.append(found)
            spec, storage, first_row = stored.spec, stored.storage, first_row + stored.steps
    _remove_others(directory, {data_file(directory, *chunk_and_file(number)) for number in paths})
    write_table(directory / EPISODES, pa.Table.from_pylist(rows))
    write_table(directory / TASKS, _task_table(list(tasks)))
    write_json(
        directory / STATISTICS, {name: to_lists(merged([s[name] for s in statistics])) for name in statistics[0]}
    )
    write_json(directory / INFO, _info(spec, storage, episodes=len(rows), frames=first_row, tasks=len(tasks)))


def _arrays(episode: Episode, place: _Place) -> Arrays:
    """The rows of an episode, by feature."""
    steps = np.arange(episode.steps)
    last = steps == episode.steps - 1
    columns = {
        "next.reward": last & episode.success,
        "next.done": last,
        SUCCESS: last & episode.success,
        "timestamp": steps / episode.spec.control_hz,
        "frame_index": steps,
        "episode_index": np.full(episode.steps, place.episode),
        "index": place.first_row + steps,
        "task_index": np.full(episode.steps, place.task),
    }
    rows = {name: columns[name].astype(dtype) for name, dtype in ROW_FEATURES.items()}
    return {STATE: episode.qpos, ACTION: episode.actions, **rows}


def _table(arrays: Arrays) -> pa.Table:
    return pa.table({name: column(array) for name, array in arrays.items()})


def _episode_row(stored: LeRobotEpisode, place: _Place, statistics: Mapping[str, Statistics]) -> dict[str, object]:
    return {
        "episode_index": place.episode,
        "tasks": [stored.spec.instruction],
        "length": stored.steps,
        "data/chunk_index": place.chunk,
        "data/file_index": place.file,
        "dataset_from_index": place.first_row,
        "dataset_to_index": place.first_row + stored.steps,
        **dict(_video_columns(stored, place)),
        **{
            f"stats/{name}/{key}": value for name, found in statistics.items() for key, value in to_lists(found).items()
        },
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
    }


def _video_columns(stored: LeRobotEpisode, place: _Place) -> Iterator[tuple[str, object]]:
    for camera in stored.cameras:
        prefix = f"videos/{video_key(camera)}/"
        yield prefix + "chunk_index", place.chunk
        yield prefix + "file_index", place.file
        yield prefix + "from_timestamp", 0.0
        yield prefix + "to_timestamp", stored.steps / stored.spec.control_hz


def _task_table(instructions: Sequence[str]) -> pa.Table:
    """Tasks by number; LeRobot reads the file with pandas and needs the text as its index."""
    table = pa.table({"task_index": pa.array(range(len(instructions)), pa.int64()), "task": instructions})
    types = {"task_index": ("int64", "int64"), "task": ("unicode", "object")}
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy_type, "metadata": None}
        for name, (kind, numpy_type) in types.items()
    ]
    pandas = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.3.3"}
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _info(spec: EnvSpec, storage: str, *, episodes: int, frames: int, tasks: int) -> dict[str, object]:
    return {
        "codebase_version": "v3.0",
        "fps": int(spec.control_hz),
        "features": _features(spec, storage),
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4" if spec.cameras else None,
        "robot_type": spec.robot,
        "splits": {"train": f"0:{episodes}"},
    }


def _features(spec: EnvSpec, storage: str) -> dict[str, object]:
    vectors = {STATE: spec.joint_names, ACTION: spec.action_names}
    image = {
        "dtype": "video",
        "shape": [*spec.image_size, 3],
        "names": ["height", "width", "channels"],
        "info": _video_info(spec, storage),
    }
    return {
        **{name: {"dtype": "float32", "shape": [len(n)], "names": list(n)} for name, n in vectors.items()},
        **{video_key(camera): image for camera in spec.cameras},
        **{name: {"dtype": dtype, "shape": [1], "names": None} for name, dtype in ROW_FEATURES.items()},
    }


def _video_info(spec: EnvSpec, storage: str) -> dict[str, object]:
    encoding = ENCODINGS[storage]
    return {
        "video.height": spec.image_size[0],
        "video.width": spec.image_size[1],
        "video.codec": storage,
        "video.pix_fmt": "yuv420p",
        "video.fps": int(spec.control_hz),
        "video.channels": 3,
        "has_audio": False,
        "video.g": encoding.keyframe_interval,
        "video.crf": int(encoding.options["crf"]),
        "is_depth_map": False,
    }


def _remove_others(directory: Path, files: set[Path]) -> None:
    """Remove the rows of episodes that are not in the dataset any more: LeRobot reads every file in data/."""
    for file in directory.glob("data/*/*.parquet"):
        if file not in files:
            file.unlink()
