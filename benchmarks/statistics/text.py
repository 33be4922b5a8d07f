"""Writes p-values and differences of success rates as text."""

from ambidex.benchmarks.statistics.summary import PairedStatistics


def points(difference: float) -> str:
    """A difference of rates in percentage points, with its sign."""
    return f"{100 * difference + 0.0:+.1f}"


def points_interval(low: float, high: float) -> str:
    """An interval of differences in percentage points."""
    return f"[{points(low)}, {points(high)}]"


def difference_text(statistics: PairedStatistics, *, sign: int = 1) -> str:
    """The difference, a minus b (with sign -1: b minus a), with its interval."""
    low, high = sorted(sign * end for end in statistics.difference_interval)
    return f"{points(sign * statistics.counts.difference)} {points_interval(low, high)}"


def p_text(p: float) -> str:
    """A p-value with its significant digits."""
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def p_equation(p: float) -> str:
    """A p-value with its name, as in "p = 0.03"."""
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
