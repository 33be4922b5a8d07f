"""How codes are used: figures of a codebook that was put to use."""

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray

Codes = npt.NDArray[np.int64]


def usage(codes: Codes, size: int) -> FloatArray:
    """The share of each of `size` codes, shape (N,). Codes may have any shape; without any all shares are 0.

    Raises:
        ValueError: A code is none of the codebook's.
    """
    if codes.size and not 0 <= codes.min() <= codes.max() < size:
        raise ValueError(f"codes from {codes.min()} to {codes.max()}, expected 0 to {size - 1}")
    counts = np.bincount(codes.ravel(), minlength=size)
    shares: FloatArray = counts / max(1, counts.sum())
    return shares


def perplexity(shares: FloatArray) -> float:
    """How many codes are in use, as it were: e to the entropy; N if all are used alike, 1 if only one is."""
    return float(np.exp(_entropy(shares, np.e)))


def dead_codes(shares: FloatArray) -> tuple[int, ...]:
    """The codes that are never used."""
    return tuple(np.flatnonzero(shares == 0).tolist())


def jensen_shannon(groups: FloatArray) -> FloatArray:
    """How differently groups use codes, each pair's Jensen-Shannon divergence in bits.

    Args:
        groups: Shares of codes, a row for each group, shape (G, N).

    Returns:
        Shape (G, G), symmetric: 0 if two use codes alike, 1 if they have none in common.
    """
    middles = (groups[:, None] + groups[None]) / 2  # (G, G, N)
    own = _entropy(groups, 2)  # (G,)
    divergences: FloatArray = np.maximum(0, _entropy(middles, 2) - (own[:, None] + own[None]) / 2)
    return divergences


def _entropy(shares: FloatArray, base: float) -> FloatArray:
    """Over the last axis; 0 log 0 is 0."""
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy: FloatArray = -(shares * logs).sum(-1) / np.log(base)
    return entropy
