"""Remarks on a comparison: how certain its verdict is, and how many more episodes it takes."""

import math

from ambidex.benchmarks.comparison.compare import Comparison
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.benchmarks.statistics.text import p_equation


def remarks(comparison: Comparison, config: CompareConfig) -> str:
    """Limits of the verdict, and how many more episodes it takes; empty if there is nothing to add."""
    statistics = comparison.together
    sentences = [
        _perturbations(comparison),
        _sequential_remark(statistics),
        _single_tasks(comparison) if len(comparison.tasks) > 1 else "",
        "" if statistics.better else _more_episodes(statistics, config, tasks=len(comparison.tasks)),
    ]
    return " ".join(filter(None, sentences))


def _perturbations(comparison: Comparison) -> str:
    """Which of the two is perturbed; empty if both are in the same way, as far as their settings are known."""
    sides = (comparison.a, comparison.b)
    axes = [sorted({" ".join(spec.perturb) or "none" for spec in side.specs.values()}) for side in sides]
    if axes[0] == axes[1] or not all(axes):
        return ""
    described = "; ".join(f"{side.letter} {', '.join(found)}" for side, found in zip(sides, axes, strict=True))
    return f"Perturbations: {described}."


def _sequential_remark(statistics: PairedStatistics) -> str:
    evidence = f"anytime-valid {p_equation(statistics.corrected_anytime_p)}"
    if statistics.better and statistics.better_at_any_time:
        return f"This also holds if you looked at results during the run ({evidence})."
    if statistics.better:
        return (
            "This holds if the number of episodes was fixed in advance. If you looked at results during the run and "
            f"stopped because of them, the evidence is not sufficient yet ({evidence})."
        )
    if statistics.better_at_any_time:
        after = statistics.sequential.largest_after
        return f"After {after} episodes the sequential test had shown one ({evidence}), but later episodes reversed it."
    return ""


def _single_tasks(comparison: Comparison) -> str:
    parts = []
    for key, side in (("a", comparison.a), ("b", comparison.b)):
        names = [name for name, statistics in comparison.tasks.items() if statistics.better == key]
        parts += [f"{side.letter} is better in {', '.join(names)}"] if names else []
    undecided = sum(not statistics.better for statistics in comparison.tasks.values())
    parts += [f"no difference shown in {undecided} of {len(comparison.tasks)}"] if undecided else []
    return f"Single tasks: {'; '.join(parts)}."


def _more_episodes(statistics: PairedStatistics, config: CompareConfig, *, tasks: int) -> str:
    goal = f"a difference of {100 * config.difference:g} points with probability {config.power:g}"
    low, high = (statistics.more_pairs(needed) for needed in statistics.pairs_needed_interval)
    more = statistics.more_pairs(statistics.pairs_needed)
    if high == 0:
        return f"There were enough episodes to detect {goal}."
    between = f"{_rounded(low)} to {_rounded(high)}, as it is uncertain how often the two disagree"
    if more == 0:
        return f"There were probably enough episodes to detect {goal} (missing: {between})."
    each = f"of each policy, spread over the {tasks} tasks," if tasks > 1 else "of each policy"
    return f"To detect {goal}, about {_rounded(more)} more episodes {each} would be needed ({between})."


def _rounded(count: int) -> int:
    """Rounded up to two digits."""
    unit: int = 10 ** max(0, int(math.log10(max(count, 1))) - 1)
    return math.ceil(count / unit) * unit
