"""The use of a codebook, for other programs."""

from collections.abc import Mapping

from ambidex.benchmarks.codes.chance_divergence import ChanceDivergence
from ambidex.benchmarks.codes.code_use import CodeUse
from ambidex.benchmarks.codes.codebook_use import CodebookUse
from ambidex.benchmarks.codes.codebook_words import MOST


def to_json(use: CodebookUse) -> dict[str, object]:
    """Everything the report says, and the share of every code. Rows of a matrix, and places, are those of its list."""
    return {
        "checkpoint": {"path": use.checkpoint.path, "sha256": use.checkpoint.sha256},
        "codes": use.size,
        "episodes_without_codes": use.without,
        "all": _figures(use.whole),
        "robots": [{"robot": robot, **_figures(own)} for robot, own in use.robots.items()],
        "tasks": [{"task": task, "robot": robot, **_figures(own)} for (task, robot), own in use.tasks.items()],
        "jensen_shannon_bits": {"robots": use.between_robots.tolist(), "tasks": use.between_tasks.tolist()},
        "chance": {"robots": _chances(use.chances_of_robots), "tasks": _chances(use.chances_of_tasks)},
    }


def _chances(pairs: Mapping[tuple[int, int], ChanceDivergence]) -> list[dict[str, object]]:
    return [
        {
            "places": list(places),
            "bits": pair.divergence,
            "mean_bits": pair.mean,
            "central_95_bits": [pair.low, pair.high],
            "p": pair.p,
            "renamings": pair.draws,
        }
        for places, pair in pairs.items()
    ]


def _figures(use: CodeUse) -> dict[str, object]:
    return {
        "episodes": use.episodes,
        "steps": use.steps,
        "perplexity": use.perplexity,
        "used": use.used,
        "dead": list(use.dead),
        "most_used": [{"code": code, "share": share} for code, share in use.most_used(MOST).items()],
        "shares": use.shares.tolist(),
    }
