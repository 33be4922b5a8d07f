"""Statistics of features as LeRobot stores them: of an episode, and of a dataset from those of its episodes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray, ImageArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
LARGE, THINNED = 300, 150  # an image with a side of 300 px is thinned to about 150 px
LEVELS = np.arange(256) / 255  # of a channel

Statistics = Mapping[str, FloatArray]
"""min, max, mean, std, count and the quantiles of a feature, each of shape (n,), or (3, 1, 1) for images."""


def array_statistics(array: "npt.NDArray[Any]") -> Statistics:
    """Statistics of one feature of an episode, shape (T, n)."""
    values = array.astype(np.float64)
    return {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "count": np.array([len(values)], np.float64),
        **dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values()), axis=0), strict=True)),
    }


def sampled_steps(steps: int) -> frozenset[int]:
    """The frames of an episode from which the statistics of its images are made, as LeRobot chooses them."""
    count = max(min(100, steps), min(int(steps**0.75), 10_000))
    return frozenset(np.round(np.linspace(0, steps - 1, count)).astype(int).tolist())


class ImageStatistics:
    """Statistics of the images of one camera of an episode, from how often each level of each channel occurs."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, 256), np.int64)
        self._frames = 0

    def add(self, frame: ImageArray) -> None:
        """Count the pixels of an image (H, W, 3)."""
        side = max(frame.shape[:2])
        step = int(side / THINNED) if side >= LARGE else 1
        for channel, counts in enumerate(self._counts):
            counts += np.bincount(frame[::step, ::step, channel].ravel(), minlength=256)
        self._frames += 1

    def result(self) -> Statistics:
        """Of all pixels, as numbers from 0 to 1."""
        shares = self._counts / self._counts.sum(axis=1, keepdims=True)
        mean = shares @ LEVELS
        found = {
            "min": LEVELS[(self._counts > 0).argmax(axis=1)],
            "max": LEVELS[255 - (self._counts[:, ::-1] > 0).argmax(axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(shares @ LEVELS**2 - mean**2, 0.0)),
            **{name: LEVELS[(shares.cumsum(axis=1) >= q).argmax(axis=1)] for name, q in QUANTILES.items()},
        }
        shaped = {name: value.reshape(3, 1, 1) for name, value in found.items()}
        return {**shaped, "count": np.array([self._frames], np.float64)}


def merged(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of a dataset from those of its episodes. Quantiles are their weighted mean, as in LeRobot."""
    stacked = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    counts = stacked["count"].reshape(-1, *(1,) * (stacked["mean"].ndim - 1))
    shares = counts / counts.sum()
    mean = (shares * stacked["mean"]).sum(axis=0)
    variance = (shares * (stacked["std"] ** 2 + (stacked["mean"] - mean) ** 2)).sum(axis=0)
    return {
        "min": stacked["min"].min(axis=0),
        "max": stacked["max"].max(axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": stacked["count"].sum(axis=0),
        **{name: (shares * stacked[name]).sum(axis=0) for name in QUANTILES},
    }


def to_lists(statistics: Statistics) -> dict[str, list[Any]]:
    """As JSON and parquet have them; the count is a whole number."""
    return {name: (v.astype(int) if name == "count" else v).tolist() for name, v in statistics.items()}


def from_lists(statistics: Mapping[str, Any]) -> Statistics:
    """Inverse of `to_lists`."""
    return {name: np.asarray(value, np.float64) for name, value in statistics.items()}
