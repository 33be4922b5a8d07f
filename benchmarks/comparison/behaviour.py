"""What two policies did in the same episodes: paired differences, and paths as a ratio to the expert's."""

from collections.abc import Sequence
from dataclasses import dataclass

from ambidex.benchmarks.evaluation.config import SCRIPTED
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.statistics.mean import Mean
from ambidex.text import text_table

RowPair = tuple[EpisodeRow, EpisodeRow]


@dataclass(frozen=True, kw_only=True)
class BehaviourDifference:
    """One number in the episodes for which both policies have it.

    Attributes:
        name: Of the number, with its unit.
        a: Mean of A.
        b: Mean of B.
        difference: Mean of A minus B.
        successes: The same over the episodes in which both succeeded; None if there are none.
    """

    name: str
    a: Mean
    b: Mean
    difference: Mean
    successes: Mean | None


@dataclass(frozen=True, kw_only=True)
class PathRatio:
    """Path of all arms together as a ratio to the expert's in the same episode.

    Attributes:
        of_a: The other one is the expert; False if A is.
        ratio: Mean over episodes.
        successes: Mean over those in which both succeeded; None if there are none.
    """

    of_a: bool
    ratio: Mean
    successes: Mean | None


def behaviour_differences(pairs: Sequence[RowPair]) -> list[BehaviourDifference]:
    """The paired differences of all numbers; empty if one policy has none."""
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for a, b in _measured(pairs):
        of_a, of_b = a.behaviour.numbers, b.behaviour.numbers  # type: ignore[union-attr]
        for name in (name for name in of_a if name in of_b):
            found.setdefault(name, []).append((of_a[name], of_b[name], a.success and b.success))
    return [
        BehaviourDifference(
            name=name,
            a=Mean.of([a for a, _, _ in values]),
            b=Mean.of([b for _, b, _ in values]),
            difference=Mean.of([a - b for a, b, _ in values]),
            successes=_mean([a - b for a, b, both in values if both]),
        )
        for name, values in found.items()
    ]


def path_ratio(pairs: Sequence[RowPair]) -> PathRatio | None:
    """The ratio of the paths if exactly one of the policies is the expert, and both have paths."""
    experts = {(a.policy == SCRIPTED, b.policy == SCRIPTED) for a, b in pairs}
    if experts not in ({(False, True)}, {(True, False)}):
        return None
    of_a = experts == {(False, True)}
    values = [(_path(a) / _path(b) if of_a else _path(b) / _path(a), a.success and b.success) for a, b in _moved(pairs)]
    if not values:
        return None
    successes = _mean([ratio for ratio, both in values if both])
    return PathRatio(of_a=of_a, ratio=Mean.of([ratio for ratio, _ in values]), successes=successes)


def behaviour_table(pairs: Sequence[RowPair], a: str, b: str) -> str:
    """Means and differences of policies with these letters, and the ratio of the paths; empty if there is nothing."""
    rows = [
        [
            *(each.name, f"{each.a.mean:.3g}", f"{each.b.mean:.3g}", _text(each.difference)),
            *(str(each.difference.episodes), _text(each.successes)),
        ]
        for each in behaviour_differences(pairs)
    ]
    if not rows:
        return ""
    both = sum(one.success and other.success for one, other in _measured(pairs))
    header = ("mean of an episode", a, b, f"{a} minus {b}", "episodes", f"where both succeed ({both})")
    lines = ["Behaviour", text_table(header, rows)]
    if ratio := path_ratio(pairs):
        policy, expert = (a, b) if ratio.of_a else (b, a)
        where = f", {_text(ratio.successes)} where both succeed" if ratio.successes else ""
        lines.append(f"Path of {policy} as a ratio to the expert's ({expert}): {_text(ratio.ratio)}{where}.")
    return "\n".join(lines)


def _measured(pairs: Sequence[RowPair]) -> list[RowPair]:
    return [(a, b) for a, b in pairs if a.behaviour and b.behaviour]


def _moved(pairs: Sequence[RowPair]) -> list[RowPair]:
    return [(a, b) for a, b in _measured(pairs) if _path(a) and _path(b)]


def _path(row: EpisodeRow) -> float:
    return sum(row.behaviour.path_m.values()) if row.behaviour else 0.0


def _mean(values: Sequence[float]) -> Mean | None:
    return Mean.of(values) if values else None


def _text(mean: Mean | None) -> str:
    """The mean with its interval; "-" for none."""
    if mean is None:
        return "-"
    return f"{mean.mean:.3g}" + (" [{:.3g}, {:.3g}]".format(*mean.interval) if mean.interval else "")
