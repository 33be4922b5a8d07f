"""The use of a codebook, in words."""

from collections.abc import Iterator, Mapping, Sequence

from ambidex.benchmarks.codes.chance import ChanceDivergence
from ambidex.benchmarks.codes.usage import CodebookUse, CodeUse
from ambidex.benchmarks.comparison.verdict import p_text
from ambidex.envs.types import FloatArray
from ambidex.text import pluralize, text_table

MOST = 5  # codes of a task that are named


def report(use: CodebookUse) -> str:
    """All figures, as tables for the terminal."""
    parts = [f"{headline(use)}\n{origin(use)}{_without(use)}", _tasks(use)]
    if len(use.robots) > 1:
        parts += _between("robots", list(use.robots), use.between_robots, use.chances_of_robots)
    if len(use.tasks) > 1:
        names = [str(number) for number in range(1, len(use.tasks) + 1)]
        parts += _between("tasks", names, use.between_tasks, use.chances_of_tasks)
    return "\n\n".join(parts)


def headline(use: CodebookUse) -> str:
    """The figures of all episodes."""
    whole = use.whole
    return f"Perplexity {whole.perplexity:.1f}; {whole.used} of {use.size} codes used, {len(whole.dead)} dead"


def origin(use: CodebookUse) -> str:
    """Whose codes, and how many."""
    return f"{use.checkpoint.path}, {pluralize(use.whole.episodes, 'episode')}, {pluralize(use.whole.steps, 'step')}"


def _without(use: CodebookUse) -> str:
    return f"\n{pluralize(use.without, 'episode')} without codes left out" if use.without else ""


def _tasks(use: CodebookUse) -> str:
    header = ("", "task", "robot", "episodes", "perplexity", f"the {MOST} codes used most")
    rows = [
        (str(number), task, robot, str(own.episodes), f"{own.perplexity:.1f}", _most_used(own))
        for number, ((task, robot), own) in enumerate(use.tasks.items(), start=1)
    ]
    return text_table(header, rows)


def _most_used(use: CodeUse) -> str:
    return ", ".join(f"{code}: {100 * share:.1f} %" for code, share in use.most_used(MOST).items())


def _between(
    groups: str, names: Sequence[str], matrix: FloatArray, pairs: Mapping[tuple[int, int], ChanceDivergence]
) -> Iterator[str]:
    rows = [(name, *(f"{value:.3f}" for value in row)) for name, row in zip(names, matrix.tolist(), strict=True)]
    yield f"Jensen-Shannon divergence between {groups} [bit]\n{text_table(('', *names), rows)}"
    draws = next(iter(pairs.values())).draws
    compared = [
        (f"{names[one]}, {names[other]}", f"{pair.divergence:.3f}", _chance(pair))
        for (one, other), pair in pairs.items()
    ]
    table = text_table((groups, "observed", "with the codes of one renamed at random"), compared)
    yield f"More alike than by chance? Mean and central 95 % of {draws:,} renamings [bit], p one-sided\n{table}"


def _chance(pair: ChanceDivergence) -> str:
    return f"chance: {pair.mean:.3f} ({pair.low:.3f} to {pair.high:.3f}), p {p_text(pair.p)}"


# FOLDED benchmarks.codes.codebook_json: The use of a codebook, for other programs.


def usage_to_json(use: CodebookUse) -> dict[str, object]:
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
