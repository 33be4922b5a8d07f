"""The random generators of perturbations."""

import zlib

import numpy as np


def axis_rng(axis: str, *numbers: int) -> np.random.Generator:
    """The random generator of an axis: of an episode, given its seed, or of one of its steps, given both.

    Every axis has its own, so another axis or level never changes what it draws. The task is not part of it: the same
    seed has the same camera in all tasks.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([zlib.crc32(axis.encode()), *numbers])))
