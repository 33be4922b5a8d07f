"""Whole arrays in HDF5 files, written so that the same input gives the same bytes."""

from typing import Any

import h5py
import numpy as np


def write_array(group: h5py.Group, name: str, array: "np.ndarray[Any, Any]", *, compressed: bool) -> None:
    """Write an array as a dataset of its own, through HDF5's gzip filter if asked for."""
    options = {"chunks": array.shape, "compression": "gzip", "compression_opts": 1} if compressed and array.size else {}
    group.create_dataset(name, data=array, track_times=False, **options)
