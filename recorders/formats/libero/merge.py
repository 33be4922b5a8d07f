"""Merges single demonstrations into one LIBERO file, next to those that are in it already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ambidex.codec import parse
from ambidex.recorders.formats.libero.layout import DATA, OWN, PREFIX, demo_path, demos_in
from ambidex.recorders.hdf5.reading import check_inside, open_hdf5
from ambidex.recorders.hdf5.writing import Hdf5Sink, atomic_hdf5_file, write_array

HELD_OUT = 10  # every tenth demonstration is for validation, so that the split does not change as a dataset grows
COUNTS = ("num_demos", "total")
SOURCE_EPISODE, TAKEN_OVER = "source_episode", "taken_over"


def merge_demos(target: Path, parts: Mapping[int, Path]) -> None:
    """Add demonstrations to a file. It is replaced as a whole; frames are copied as they are stored.

    The same demonstrations give the same bytes, however many times the file has grown. Those in the target stay in it.
    Parts, number -> file of one demonstration, are removed once they are in it.

    Raises:
        DatasetError: A file is damaged, or cannot be written; then nothing is changed.
    """
    present = demos_in(target) if target.exists() else {}
    demos = {**parts, **present}
    if len(demos) > len(present):
        write_demos(target, {index: demo_path(demos[index]) for index in sorted(demos)})
    for path in parts.values():
        path.unlink()


def write_demos(target: Path, demos: Mapping[int, Path]) -> None:
    """Write a file of demonstrations, number -> FILE/demo_I, ascending; whole or not at all.

    Raises:
        DatasetError: A file is damaged, or cannot be written.
    """
    total, groups = 0, {}
    failures: dict[str, int] = {}
    with atomic_hdf5_file(target) as (file, sink):
        data = file.create_group(DATA)
        for index, path in demos.items():
            with open_hdf5(path.parent) as source:
                if not data.attrs:
                    _copy_attributes(source[DATA], data)
                demo = data.create_group(f"{PREFIX}{index}")
                _copy(source[f"{DATA}/{path.name}"], demo, sink)
                total += int(demo.attrs["num_samples"])
                groups[index] = _group(index, demo[OWN].attrs, failures)
        data.attrs.update({"num_demos": np.int64(len(demos)), "total": np.int64(total)})
        for name, chosen in _masks(groups).items():
            write_array(file, f"mask/{name}", chosen, compressed=False)


def _group(index: int, attributes: Mapping[str, Any], failures: dict[str, int]) -> int:
    """The number of the group of a demonstration, which is trained on or held out as a whole.

    It is the number of the demonstration; of looks that of the episode; and of demonstrations that continue failed
    episodes that of the failure. `failures`, initial state -> number, is completed.
    """
    if TAKEN_OVER in attributes:
        initial_state = parse(attributes[TAKEN_OVER])["initial_state_sha256"]
        return failures.setdefault(initial_state, len(failures))
    return int(attributes.get(SOURCE_EPISODE, index))


def _masks(groups: Mapping[int, int]) -> "dict[str, np.ndarray[Any, Any]]":
    """Names of the demonstrations to train on and to validate with, as byte strings.

    Args:
        groups: Number of each demonstration -> that of its group.
    """
    valid = [index for index, group in groups.items() if group % HELD_OUT == HELD_OUT - 1]
    train = [index for index in groups if index not in valid]
    return {
        name: np.array([f"{PREFIX}{index}".encode() for index in chosen], np.bytes_)
        for name, chosen in (("train", train), ("valid", valid))
    }


def _copy(source: h5py.Group, target: h5py.Group, sink: Hdf5Sink) -> None:
    _copy_attributes(source, target)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name), sink)
        else:
            _copy_dataset(item, target, name)
        sink.raise_error()


def _copy_attributes(source: h5py.HLObject, target: h5py.HLObject) -> None:
    for name in sorted(source.attrs):
        if name not in COUNTS:
            target.attrs[name] = source.attrs[name]


def _copy_dataset(source: h5py.Dataset, target: h5py.Group, name: str) -> None:
    check_inside(Path(source.file.filename), source)
    if source.chunks is None:
        write_array(target, name, source[()], compressed=False)
        return
    filters = {"compression": source.compression, "compression_opts": source.compression_opts}
    options = {"chunks": source.chunks, "track_times": False, **filters}
    copied = target.create_dataset(name, source.shape, source.dtype, **options)
    for i in range(source.id.get_num_chunks()):
        offset = source.id.get_chunk_info(i).chunk_offset
        mask, chunk = source.id.read_direct_chunk(offset)
        copied.id.write_direct_chunk(offset, chunk, mask)
