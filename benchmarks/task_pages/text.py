"""The text of a suite's page: a table of its tasks, and for each its instruction, stages, success, ranges and rates."""

import math
from collections.abc import Iterator, Mapping, Sequence

from ambidex.benchmarks.task_pages.pictures import TaskPictures
from ambidex.envs.env import make
from ambidex.envs.registry import SUITES
from ambidex.envs.task import Task, UniformPose
from ambidex.intervals import exact_interval
from ambidex.text import first_few

Rates = Mapping[str, Mapping[str, tuple[int, int]]]
"""Task -> spread -> successes and episodes of the expert."""
SPREADS = ("published", "wide")
INTRODUCTION = """Made by `python -m ambidex.benchmarks.task_pages --suite {suite}`. Pictures are of seed 0; those of
the expert end at success. Rates are strict successes of the expert, with exact 95 % intervals, measured by
`python -m ambidex.benchmarks.studies.expert_rates --task TASK -n N`, with N the episodes of the row, from seed
0 on. `published` is the distribution of the original publication, or for a task that is new in ambidex a narrow one;
`wide` is larger. Positions are in the frame of the [world](../concepts/conventions.md)."""


def suite_page(suite: str, pictures: Mapping[str, TaskPictures], rates: Rates) -> str:
    """The page of a suite in Markdown."""
    tasks = {name: _Described(name) for name in SUITES[suite]}
    paragraphs = [f"# Tasks of {suite}", INTRODUCTION.format(suite=suite), "\n".join(_overview(suite, tasks, rates))]
    for name, described in tasks.items():
        paragraphs += [f"## {name}", *described.paragraphs(pictures[name])]
    return "\n\n".join(paragraphs) + "\n"


class _Described:
    """What a page says of one task."""

    def __init__(self, name: str) -> None:
        with make(name, cameras=()) as env:
            env.reset(0)
            self.task, self.checks = env.task, list(env.task.checks(env.scene))

    def paragraphs(self, pictures: TaskPictures) -> Iterator[str]:
        task = self.task
        yield f"*{task.instruction}*"
        yield f"![{task.name}: initial state]({pictures.start})"
        yield f"![{task.name}: the expert]({pictures.expert})"
        yield "**Stages**: " + ", ".join(task.stages[1:]) + "."
        yield "**Success**: " + "; ".join(self.checks) + "."
        if rows := [*_range_rows(task)]:
            yield "\n".join(["| object | spread | x [m] | y [m] | yaw [deg] |", "|---|---|---|---|---|", *rows])


def _overview(suite: str, tasks: Mapping[str, _Described], rates: Rates) -> Iterator[str]:
    two_armed = any(described.task.coordination for described in tasks.values())
    spreads = [spread for spread in SPREADS if any(spread in rates.get(name, {}) for name in tasks)]
    header = ["task", *(["coordination"] if two_armed else []), "steps", *(f"expert, {spread}" for spread in spreads)]
    yield _row(header)
    yield _row(["---"] * len(header))
    for number, (name, described) in enumerate(tasks.items()):
        task, short = described.task, "" if two_armed else f"`{suite}/{number}`, "
        measured = [_rate(rates.get(name, {}).get(spread)) for spread in spreads]
        yield _row([f"{short}`{name}`", *([task.coordination] if two_armed else []), str(task.horizon), *measured])


def _rate(counts: tuple[int, int] | None) -> str:
    if counts is None:
        return "not measured"
    successes, episodes = counts
    low, high = exact_interval(successes, episodes)
    return f"{successes}/{episodes} = {100 * successes / episodes:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _range_rows(task: Task) -> Iterator[str]:
    """Where each object is at the beginning; those with the same range, such as beads, share a row."""
    for spread in SPREADS:
        bodies: dict[tuple[str, ...], list[str]] = {}
        for body, given in _initial_poses(task, spread):
            bodies.setdefault(_spans(given), []).append(body)
        for spans, names in bodies.items():
            yield _row([first_few(names), spread, *spans])


def _initial_poses(task: Task, spread: str) -> Iterator[tuple[str, UniformPose]]:
    """Those of its props; tasks of BDDL files have regions in place of them."""
    for prop in task.props:
        if prop.initial_poses:
            yield prop.body, prop.initial_poses[spread]
    if not task.props:
        for body, ranges in task.initial_ranges(spread).items():
            yield from ((body, given) for given in ranges)


def _spans(given: UniformPose) -> tuple[str, ...]:
    (x_low, y_low, _), (x_high, y_high, _) = given.low, given.high
    yaw = [math.degrees(angle) for angle in given.yaw]
    return (
        f"{x_low:.3f} to {x_high:.3f}",
        f"{y_low:.3f} to {y_high:.3f}",
        "any" if yaw[1] - yaw[0] >= 359.9 else f"{yaw[0] + 0.0:.0f} to {yaw[1]:.0f}",
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
