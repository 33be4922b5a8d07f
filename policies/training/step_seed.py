"""Noise of a training step."""

import numpy as np
import torch


def seed_step(seed: int, step: int, rank: int) -> None:
    """Make all of torch's noise from here on a pure function of these, so that a resumed run draws the same.

    Dropout, latent samples and augmentation need nothing stored; ranks draw apart.
    """
    (number,) = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)
    torch.manual_seed(int(number) >> 1)
