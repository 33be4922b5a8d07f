"""How a policy uses its codes, as numbers for a log."""

from collections.abc import Mapping

import numpy as np

from ambidex.policies.uniact.code_usage import Codes, dead_codes, jensen_shannon, perplexity, usage

FEW = 4  # tasks, whose pairs are named one by one


def code_figures(groups: Mapping[str, Mapping[str, Codes]], size: int) -> dict[str, float]:
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
    everything = usage(_joined(robots), size)
    figures = {"perplexity": perplexity(everything), "dead": float(len(dead_codes(everything)))}
    figures |= {f"perplexity/{robot}": perplexity(usage(codes, size)) for robot, codes in robots.items()}
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
    matrix = jensen_shannon(np.stack([usage(codes, size) for codes in groups.values()]))
    return {f"{a} and {b}": float(matrix[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
