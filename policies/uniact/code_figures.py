"""How a policy uses its codes, as numbers for a log."""

from collections.abc import Mapping

import numpy as np

from ambidex.policies.uniact.code_usage import Codes, dead_codes, jensen_shannon, perplexity, usage


def code_figures(groups: Mapping[str, Mapping[str, Codes]], size: int) -> dict[str, float]:
    """Figures of codes that were chosen.

    Args:
        groups: Robot -> task -> the codes chosen there, any shape.
        size: Codes of the codebook.

    Returns:
        The perplexity and the number of dead codes of all, the perplexity of each robot, and the Jensen-Shannon
        divergences between robots and between the tasks of a robot [bit], each pair once.
    """
    robots = {robot: _joined(tasks) for robot, tasks in groups.items()}
    everything = usage(_joined(robots), size)
    figures = {"perplexity": perplexity(everything), "dead": float(len(dead_codes(everything)))}
    figures |= {f"perplexity/{robot}": perplexity(usage(codes, size)) for robot, codes in robots.items()}
    for kinds in (robots, *groups.values()):
        figures |= {f"jensen_shannon/{pair}": value for pair, value in _divergences(kinds, size).items()}
    return figures


def _joined(groups: Mapping[str, Codes]) -> Codes:
    return np.concatenate([codes.ravel() for codes in groups.values()] or [np.empty(0, np.int64)])


def _divergences(groups: Mapping[str, Codes], size: int) -> dict[str, float]:
    names = list(groups)
    matrix = jensen_shannon(np.stack([usage(codes, size) for codes in groups.values()]))
    return {f"{a} and {b}": float(matrix[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j}
