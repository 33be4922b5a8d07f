"""Procedural patterns that continue at the opposite side."""

from collections.abc import Callable, Mapping

import numpy as np

from ambidex.envs.types import Float32Array

Pattern = Callable[[int, int, np.random.Generator], Float32Array]
"""Side of the image [px], cells along a side, generator -> shape (side, side), from 0 to 1."""


def checker(side: int, cells: int, rng: np.random.Generator) -> Float32Array:
    cell = np.arange(side) * cells // side
    return np.asarray((cell[:, None] + cell) % 2, np.float32)


def stripes(side: int, cells: int, rng: np.random.Generator) -> Float32Array:
    """Along the rows, the columns or a diagonal."""
    down, across = ((1, 0), (0, 1), (1, 1))[rng.integers(3)]
    place = np.arange(side)
    return np.asarray((down * place[:, None] + across * place) * cells // side % 2, np.float32)


def gradient(side: int, cells: int, rng: np.random.Generator) -> Float32Array:
    """One wave along the rows or the columns, from one colour to the other and back; it has no cells."""
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(side) / side + rng.uniform()))
    image = np.broadcast_to(wave, (side, side))
    return np.asarray(image if rng.uniform() < 0.5 else image.T, np.float32)


def noise(side: int, cells: int, rng: np.random.Generator) -> Float32Array:
    """Random values at the corners of cells, linear in between, and stretched from 0 to 1."""
    corners = rng.uniform(size=(cells, cells))
    distance = np.arange(side)[:, None] * cells / side - np.arange(cells)
    around = (distance + cells / 2) % cells - cells / 2  # the last corner is next to the first
    weights = np.maximum(0.0, 1.0 - np.abs(around))  # (side, cells)
    smooth = weights @ corners @ weights.T
    return np.asarray((smooth - smooth.min()) / np.ptp(smooth), np.float32)


PATTERNS: Mapping[str, Pattern] = {"checker": checker, "gradient": gradient, "noise": noise, "stripes": stripes}
