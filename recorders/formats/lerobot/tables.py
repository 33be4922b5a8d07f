"""Reads and writes parquet files, with errors that name the file and the column."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ambidex.atomic_files import read_error, replacing
from ambidex.envs.types import Float32Array
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.hdf5.reading import reading

Columns = Mapping[str, Sequence[Any]]


def write_table(path: Path, table: pa.Table) -> None:
    """Write a parquet file, whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    with replacing(path) as temporary:
        pq.write_table(table, temporary, use_dictionary=False)  # of little use for numbers: a third larger with it


def column(array: "np.ndarray[Any, Any]") -> pa.Array:
    """A column of vectors, for an array (T, n), or of numbers, for (T,)."""
    flat = pa.array(array.ravel())
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1]) if array.ndim == 2 else flat


def read_table(path: Path, names: Collection[str]) -> pa.Table:
    """Those columns of a parquet file that it has.

    Raises:
        DatasetError: It is missing or damaged.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing.", repair_hint(path), path=path)
    with reading(path, "structure of the file (truncated?)"):
        try:
            with pq.ParquetFile(path) as file:
                return file.read(columns=[name for name in names if name in file.schema_arrow.names])
        except OSError as error:
            if error.errno is not None:
                raise read_error(path, error) from error
            raise


def read_columns(path: Path, names: Sequence[str]) -> dict[str, pa.ChunkedArray]:
    """Some columns of a parquet file.

    Raises:
        DatasetError: It is missing or damaged, or lacks a column.
    """
    table = read_table(path, names)
    for name in names:
        if name not in table.column_names:
            problem = f"{path} has no column {name!r}."
            raise DatasetError(problem, repair_hint(path), path=path, field=name)
    return {name: table[name] for name in names}


def vectors(path: Path, name: str, columns: Mapping[str, pa.ChunkedArray]) -> Float32Array:
    """A column of vectors, or of numbers, as an array (T, n).

    Raises:
        DatasetError: They are not numbers, or of different lengths.
    """
    with reading(path, f"column {name}"):
        values = columns[name].combine_chunks()
        rows = len(values)
        if pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
            values = values.flatten()
        array: Float32Array = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(rows, -1)
        return array


def png_files(path: Path, name: str, episode: int) -> list[bytes]:
    """The images of an episode in a column of them. Raises what reading raises."""
    column = pq.read_table(path, columns=[name], filters=[("episode_index", "==", episode)])[name]
    return [image["bytes"] for image in column.to_pylist()]
