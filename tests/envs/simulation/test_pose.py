"""Rigid transforms."""

import numpy as np

from ambidex.envs.simulation.pose import norm


def test_the_norm_has_the_bits_of_numpys() -> None:
    rng = np.random.default_rng(0)
    for size in (3, 6, 7):
        for vector in rng.normal(size=(200, size)) * 10.0 ** rng.integers(-9, 9, (200, 1)):
            assert norm(vector) == float(np.linalg.norm(vector))
    assert norm(np.full(3, -np.inf)) == np.inf
