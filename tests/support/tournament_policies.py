"""Policies of one's own with known outcomes, for tests of tournaments; worker processes import this module too."""

import numpy as np
from benchmarking_fakes import FakeAgent


class _Sometimes(FakeAgent):
    """Succeeds in `tenths` of ten seeds, in an order that is the same for all."""

    tenths = 0

    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky, self._kind = np.random.default_rng(seed).integers(10) < self.tenths, 1


class Good(_Sometimes):
    tenths = 10


class Fair(_Sometimes):
    tenths = 9


class Poor(_Sometimes):
    tenths = 1
