"""Statistics of how codes are used: shares, perplexity, unused codes, and divergence between groups."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray

Codes = npt.NDArray[np.int64]
MAX_TASKS = 4  # whose pairs are all listed


def code_shares(codes: Codes, size: int) -> FloatArray:
    """The share of each of `size` codes, shape (N,). Codes may have any shape; without any all shares are 0.

    Raises:
        ValueError: A code is out of range.
    """
    if codes.size and not 0 <= codes.min() <= codes.max() < size:
        raise ValueError(f"codes from {codes.min()} to {codes.max()}, expected 0 to {size - 1}")
    counts = np.bincount(codes.ravel(), minlength=size)
    shares: FloatArray = counts / max(1, counts.sum())
    return shares


def perplexity(shares: FloatArray) -> float:
    """Effective number of codes in use, e to the entropy: N if all are used alike, 1 if only one is."""
    return float(np.exp(_entropy(shares, np.e)))


def dead_codes(shares: FloatArray) -> tuple[int, ...]:
    """The codes that are never used."""
    return tuple(np.flatnonzero(shares == 0).tolist())


def jensen_shannon(groups: FloatArray) -> FloatArray:
    """Jensen-Shannon divergence of each pair of groups [bit], from their shares of codes, shape (G, N).

    Returns:
        Shape (G, G), symmetric: 0 if two use codes alike, 1 if they have none in common.
    """
    middles = (groups[:, None] + groups[None]) / 2  # (G, G, N)
    own = _entropy(groups, 2)  # (G,)
    divergences: FloatArray = np.maximum(0, _entropy(middles, 2) - (own[:, None] + own[None]) / 2)
    return divergences


def code_metrics(groups: Mapping[str, Mapping[str, Codes]], size: int) -> dict[str, float]:
    """Metrics of codes, by name; the groups are embodiment -> task -> chosen codes of any shape.

    Returns:
        Perplexity and number of dead codes of all, perplexity of each embodiment, and Jensen-Shannon divergences
        between embodiments and between the tasks of each [bit]: every pair once, or of more than `MAX_TASKS` tasks the
        mean and the largest.
    """
    by_embodiment = {embodiment: _joined(tasks) for embodiment, tasks in groups.items()}
    total = code_shares(_joined(by_embodiment), size)
    metrics = {"perplexity": perplexity(total), "dead": float(len(dead_codes(total)))}
    metrics |= {f"perplexity/{name}": perplexity(code_shares(codes, size)) for name, codes in by_embodiment.items()}
    metrics |= {f"jensen_shannon/{pair}": value for pair, value in _divergences(by_embodiment, size).items()}
    for embodiment, tasks in groups.items():
        pairs = _divergences(tasks, size)
        if len(tasks) > MAX_TASKS:
            pairs = {"mean": float(np.mean(list(pairs.values()))), "largest": max(pairs.values())}
        metrics |= {f"jensen_shannon/{embodiment}/{name}": value for name, value in pairs.items()}
    return metrics


def _joined(groups: Mapping[str, Codes]) -> Codes:
    return np.concatenate([codes.ravel() for codes in groups.values()] or [np.empty(0, np.int64)])


def _divergences(groups: Mapping[str, Codes], size: int) -> dict[str, float]:
    names = list(groups)
    matrix = jensen_shannon(np.stack([code_shares(codes, size) for codes in groups.values()]))
    return {f"{a} and {b}": float(matrix[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}


def _entropy(shares: FloatArray, base: float) -> FloatArray:
    """Entropy over the last axis, with 0 log 0 = 0."""
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy: FloatArray = -(shares * logs).sum(-1) / np.log(base)
    return entropy
