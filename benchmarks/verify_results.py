"""The command `verify-results`: its flags, and the report it prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import tyro

from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError
from ambidex.flags import OptionalInt, Switch
from ambidex.progress import Progress
from ambidex.text import text_table
from ambidex.worker_pool.worker import WorkerError

if TYPE_CHECKING:
    from ambidex.benchmarks.verification.playback import PlayedBack

COMMAND = "verify-results"
HEADER = ("task", "seed", "outcome", "states", "row")


@dataclass(frozen=True, kw_only=True)
class VerifyResultsConfig:
    """Play back episodes of a results folder from their stored actions, without the policy.

    The initial state must be that of the seed, and the actions must give the same states and the same row: outcome,
    stage, steps and checks. On the type of processor that ran them states are the same bit for bit; on another one each
    step may differ by 1e-8 from the stored state ("other arithmetic"). The exit status is 1 if an episode differs. Not
    checked: that the policy gives these actions, and videos.
    """

    path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PATH")]]
    """Results folder of run-benchmark."""
    episodes: OptionalInt = None
    """Episodes to play back, drawn at random from all tasks; auto is all, but at most 50."""
    seed: int = 0
    """Seed of the draw."""
    bitwise: Switch = False
    """Fail episodes whose states are not the same bit for bit too."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, play back, and exit."""
    run(COMMAND, _main, VerifyResultsConfig, argv)


def _main(config: VerifyResultsConfig) -> int:
    check_environment()
    from ambidex.benchmarks.results.folder import ResultsFolder
    from ambidex.benchmarks.verification.playback import drawn_rows, play_back  # heavy: not for --help

    results = ResultsFolder.open(config.path)
    if results.of_robot:
        problem = f"{config.path} has rollouts on a robot, which cannot be played back."
        raise UsageError(problem, "Give a results folder of run-benchmark.", path=config.path)
    rows = drawn_rows(results.rows, config.episodes, config.seed)
    found: list[PlayedBack] = []
    passed = 0
    with Progress("played back", len(rows), quiet=config.quiet) as progress:
        for result in play_back(config.path, rows, config.workers):
            found.append(result)
            passed += reproduces(result, config.bitwise)
            progress.update(len(found), passed, len(found))
    found.sort(key=lambda result: result[0].key)
    if not config.quiet:
        print_result(report(found, len(results.rows)))
    for failed in found if config.quiet else ():
        if not reproduces(failed, config.bitwise):
            print_message(COMMAND, ", ".join(_line(failed)))
    if results.warning:
        print_message(COMMAND, results.warning)
    return DONE if passed == len(rows) else FAILED


def reproduces(result: "PlayedBack", bitwise: bool) -> bool:
    """Whether the episode could be played back and passed all checks."""
    found = result[1]
    return not isinstance(found, WorkerError) and found.reproduces and (found.states.same or not bitwise)


def report(results: Sequence["PlayedBack"], episodes: int) -> str:
    """A table with a line per episode, then notes and totals; `episodes` is how many the folder has."""
    played = [found for _, found in results if not isinstance(found, WorkerError)]
    notes = sorted({note for found in played for note in found.notes})
    same = sum(found.states.same and not found.differences for found in played)
    other = sum(found.reproduces and not found.states.same for found in played)
    totals = [
        f"{same} of {len(results)} episodes have the same states bit for bit and the same row",
        *([f"{other} differ only as other arithmetic rounds, same row"] if other else []),
        *([f"{len(results) - len(played)} could not be played back"] if len(played) < len(results) else []),
    ]
    drawn = f" They were drawn from {episodes}." if len(results) < episodes else ""
    table = text_table(HEADER, [_line(result) for result in results])
    return "\n".join([table, *(f"Note: {note}." for note in notes), ", ".join(totals) + "." + drawn])


def _line(result: "PlayedBack") -> tuple[str, ...]:
    row, found = result
    if isinstance(found, WorkerError):
        return row.task, str(row.seed), str(row.outcome), "-", found.message
    return row.task, str(row.seed), str(row.outcome), str(found.states), "; ".join(found.differences) or "same"
