"""How codes are used: figures of a codebook that was put to use."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray

Codes = npt.NDArray[np.int64]


def code_shares(codes: Codes, size: int) -> FloatArray:
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


# FOLDED policies.uniact.code_figures: How a policy uses its codes, as numbers for a log.

FEW = 4  # tasks, whose pairs are named one by one


def code_metrics(groups: Mapping[str, Mapping[str, Codes]], size: int) -> dict[str, float]:
    """Figures of codes that were chosen.

    Args:
        groups: Robot -> task -> the codes chosen there, any shape.
        size: Codes of the codebook.

    Returns:
        The perplexity and the number of dead codes of all, the perplexity of each robot, and the Jensen-Shannon
        divergences between robots and between the tasks of a robot [bit]: each pair once, of more than `FEW` tasks the
        mean and the largest.
    """
    robots = {robot: _joined(tasks) for robot, tasks in groups.items()}
    everything = code_shares(_joined(robots), size)
    figures = {"perplexity": perplexity(everything), "dead": float(len(dead_codes(everything)))}
    figures |= {f"perplexity/{robot}": perplexity(code_shares(codes, size)) for robot, codes in robots.items()}
    figures |= {f"jensen_shannon/{pair}": value for pair, value in _divergences(robots, size).items()}
    for robot, tasks in groups.items():
        figures |= {f"jensen_shannon/{robot}/{name}": value for name, value in _among(tasks, size).items()}
    return figures


def _among(tasks: Mapping[str, Codes], size: int) -> dict[str, float]:
    """Each pair of tasks if there are few; of many, the mean and the largest divergence."""
    pairs = _divergences(tasks, size)
    if len(tasks) <= FEW:
        return pairs
    return {"mean": float(np.mean(list(pairs.values()))), "largest": max(pairs.values())}


def _joined(groups: Mapping[str, Codes]) -> Codes:
    return np.concatenate([codes.ravel() for codes in groups.values()] or [np.empty(0, np.int64)])


def _divergences(groups: Mapping[str, Codes], size: int) -> dict[str, float]:
    names = list(groups)
    matrix = jensen_shannon(np.stack([code_shares(codes, size) for codes in groups.values()]))
    return {f"{a} and {b}": float(matrix[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
