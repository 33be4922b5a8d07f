"""Reads a dataset the way robomimic's SequenceDataset does, written from the facts on it (section 3.2) alone."""

import h5py
import numpy as np


class SequenceReader:
    """Windows of `seq_length` steps from every step on, padded at the end by the last one.

    Args:
        path: The file.
        obs_keys: Observations to give.
        dataset_keys: Other arrays to give; those that are missing are zeros.
        seq_length: Steps of a window.
        filter_key: Entry of `mask` that names the demonstrations; None for all.
    """

    def __init__(self, path, obs_keys, dataset_keys=("actions", "rewards", "dones"), seq_length=1, filter_key=None):
        self._file = h5py.File(path, "r", swmr=True, libver="latest")
        self._obs_keys, self._dataset_keys, self._length = obs_keys, dataset_keys, seq_length
        if filter_key is None:
            demos = list(self._file["data"].keys())
        else:
            demos = [name.decode("utf-8") for name in np.array(self._file[f"mask/{filter_key}"][:])]
        self.demos = sorted(demos, key=lambda name: int(name[5:]))
        self._places = [
            (demo, t) for demo in self.demos for t in range(self._file[f"data/{demo}"].attrs["num_samples"])
        ]

    def __len__(self):
        return len(self._places)

    def __getitem__(self, index):
        demo, start = self._places[index]
        group = self._file[f"data/{demo}"]
        steps = group.attrs["num_samples"]
        window = {key: self._window(group, key, start, steps) for key in self._dataset_keys}
        obs = {key: self._window(group, f"obs/{key}", start, steps) for key in self._obs_keys}
        return {**window, "obs": obs}

    def _window(self, group, key, start, steps):
        if key not in group:
            return np.zeros((self._length, 1), np.float32)
        end = min(start + self._length, steps)
        values = group[key][start:end].astype("float32" if "rgb" not in key else "uint8")
        return np.concatenate([values, np.repeat(values[-1:], self._length - len(values), axis=0)])
