"""The report of `inspect-dataset`, as text."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from ambidex.envs.types import Outcome
from ambidex.recorders.inspection.dimensions import Dimension
from ambidex.recorders.inspection.inspect import Inspection
from ambidex.text import first_few, pluralize, text_table

HEADER = ("unit", "min", "max", "mean", "std", "at limit")


def report(found: Inspection) -> str:
    """What the dataset holds, its dimensions, problems and notes."""
    facts = _facts(found)
    width = max(map(len, facts))
    lines = [found.path, *(f"  {name:{width}}  {text}" for name, text in facts.items() if text), ""]
    lines += [_table("state", found.state), "", _table("action", found.action), ""]
    lines += [f"Problem: {line.rstrip('.')}." for line in found.problems]
    lines += [f"Note: {line.rstrip('.')}." for line in found.notes]
    return "\n".join([*lines, f"{found.path}: {_verdict(found)}."])


def _facts(found: Inspection) -> dict[str, str]:
    lengths = [episode.steps for episode in found.episodes]
    in_all = f"{found.steps:,} in all, {found.steps / found.control_hz / 60:.1f} min"
    seeds = [episode.seed for episode in found.episodes]
    height, width = found.image_size
    return {
        "format": found.format,
        "task": "" if found.foreign else found.task,
        "instruction": first_few(found.instructions),
        "robot": f"{found.robot}, {found.control} control at {found.control_hz:g} Hz",
        "episodes": _episodes(found),
        "seeds": "" if found.foreign else f"{min(seeds)} to {max(seeds)}",
        "perturbed": _perturbed(found),
        "looks": _looks(found),
        "taken over": _taken_over(found),
        "steps": f"{min(lengths)} to {max(lengths)}, median {median(lengths):g}; {in_all}",
        "idle": f"{100 * found.idle:.1f} % of the steps",
        "cameras": f"{', '.join(found.cameras)}; {height} x {width}, {found.storage}" if found.cameras else "none",
        "disk": f"{found.disk_bytes / 1e6:.1f} MB, {found.disk_bytes / found.steps / 1e3:.1f} kB a step",
    }


def _episodes(found: Inspection) -> str:
    outcomes = Counter(episode.outcome for episode in found.episodes)
    parts = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome if outcomes[outcome])
    attempts = f", of {pluralize(found.attempts, 'attempt')}" if found.attempts is not None else ""
    return f"{len(found.episodes)} ({parts}){attempts}"


def _taken_over(found: Inspection) -> str:
    """How many episodes continue how many failed ones, and from where; empty if none does."""
    steps = {(each.seed, each.taken_over) for each in found.episodes if each.taken_over is not None}
    if not steps:
        return ""
    failures = pluralize(len({seed for seed, _ in steps}), "failed episode")
    first, last = min(step for _, step in steps), max(step for _, step in steps)
    return f"{pluralize(len(steps), 'episode')} from steps {first} to {last} of {failures}"


def _perturbed(found: Inspection) -> str:
    """Which axes how many episodes have; empty if all are clean."""
    counts = Counter(" ".join(episode.perturb) or "none" for episode in found.episodes)
    if not any(episode.perturb for episode in found.episodes):
        return ""
    return "; ".join(f"{axes} in {pluralize(count, 'episode')}" for axes, count in counts.items())


def _looks(found: Inspection) -> str:
    if not any(episode.look for episode in found.episodes):
        return ""
    return f"{max(episode.look for episode in found.episodes) + 1} of each episode, with the same states"


def _table(kind: str, rows: Sequence[Dimension]) -> str:
    return text_table((kind, *HEADER), [_row(each) for each in rows])


def _row(each: Dimension) -> tuple[str, ...]:
    numbers = (f"{value:.4g}" for value in (each.minimum, each.maximum, each.mean, each.std))
    limit = "constant" if each.constant else f"{100 * max(each.at_minimum, each.at_maximum):.0f} %"
    return each.name, each.unit, *numbers, limit


def _verdict(found: Inspection) -> str:
    return pluralize(len(found.problems), "problem") if found.problems else "no problems found"
