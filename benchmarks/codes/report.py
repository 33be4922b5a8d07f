"""The usage of a codebook as text for the terminal and as JSON."""

from collections.abc import Iterator, Mapping, Sequence

from ambidex.benchmarks.codes.chance import ChanceDivergence
from ambidex.benchmarks.codes.usage import CodebookUsage, CodeUsage
from ambidex.benchmarks.statistics.text import p_text
from ambidex.envs.types import FloatArray
from ambidex.text import pluralize, text_table

MOST_USED = 5  # codes of a task that are listed


def format_usage(usage: CodebookUsage) -> str:
    """All numbers, as tables for the terminal."""
    without = usage.episodes_without_codes
    left_out = f"\n{pluralize(without, 'episode')} without codes left out" if without else ""
    parts = [f"{headline(usage)}\n{origin(usage)}{left_out}", _tasks(usage)]
    if len(usage.robots) > 1:
        parts += _divergences("robots", list(usage.robots), usage.robot_divergences, usage.robot_chances)
    if len(usage.tasks) > 1:
        numbers = [str(number) for number in range(1, len(usage.tasks) + 1)]
        parts += _divergences("tasks", numbers, usage.task_divergences, usage.task_chances)
    return "\n\n".join(parts)


def headline(usage: CodebookUsage) -> str:
    """Perplexity, used and dead codes of all episodes."""
    whole = usage.whole
    return f"Perplexity {whole.perplexity:.1f}; {whole.used} of {usage.size} codes used, {len(whole.dead)} dead"


def origin(usage: CodebookUsage) -> str:
    """The checkpoint, and the numbers of episodes and steps."""
    whole = usage.whole
    return f"{usage.checkpoint.path}, {pluralize(whole.episodes, 'episode')}, {pluralize(whole.steps, 'step')}"


def _tasks(usage: CodebookUsage) -> str:
    header = ("", "task", "robot", "episodes", "perplexity", f"the {MOST_USED} codes used most")
    rows = []
    for number, ((task, robot), own) in enumerate(usage.tasks.items(), start=1):
        most_used = ", ".join(f"{code}: {100 * share:.1f} %" for code, share in own.most_used(MOST_USED).items())
        rows.append((str(number), task, robot, str(own.episodes), f"{own.perplexity:.1f}", most_used))
    return text_table(header, rows)


def _divergences(
    groups: str, names: Sequence[str], matrix: FloatArray, pairs: Mapping[tuple[int, int], ChanceDivergence]
) -> Iterator[str]:
    rows = [(name, *(f"{value:.3f}" for value in row)) for name, row in zip(names, matrix.tolist(), strict=True)]
    yield f"Jensen-Shannon divergence between {groups} [bit]\n{text_table(('', *names), rows)}"
    draws = next(iter(pairs.values())).draws
    tests = [
        (
            f"{names[one]}, {names[other]}",
            f"{pair.divergence:.3f}",
            f"chance: {pair.mean:.3f} ({pair.low:.3f} to {pair.high:.3f}), p {p_text(pair.p)}",
        )
        for (one, other), pair in pairs.items()
    ]
    table = text_table((groups, "observed", "with the codes of one renamed at random"), tests)
    yield f"More alike than by chance? Mean and central 95 % of {draws:,} renamings [bit], p one-sided\n{table}"


def usage_to_json(usage: CodebookUsage) -> dict[str, object]:
    """All numbers, and the share of every code. Rows of a matrix, and "places", are indices into the list of groups."""
    return {
        "checkpoint": {"path": usage.checkpoint.path, "sha256": usage.checkpoint.sha256},
        "codes": usage.size,
        "episodes_without_codes": usage.episodes_without_codes,
        "all": _usage_json(usage.whole),
        "robots": [{"robot": robot, **_usage_json(own)} for robot, own in usage.robots.items()],
        "tasks": [{"task": task, "robot": robot, **_usage_json(own)} for (task, robot), own in usage.tasks.items()],
        "jensen_shannon_bits": {"robots": usage.robot_divergences.tolist(), "tasks": usage.task_divergences.tolist()},
        "chance": {"robots": _chances_json(usage.robot_chances), "tasks": _chances_json(usage.task_chances)},
    }


def _usage_json(usage: CodeUsage) -> dict[str, object]:
    return {
        "episodes": usage.episodes,
        "steps": usage.steps,
        "perplexity": usage.perplexity,
        "used": usage.used,
        "dead": list(usage.dead),
        "most_used": [{"code": code, "share": share} for code, share in usage.most_used(MOST_USED).items()],
        "shares": usage.shares.tolist(),
    }


def _chances_json(pairs: Mapping[tuple[int, int], ChanceDivergence]) -> list[dict[str, object]]:
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
