"""How fast everything is on this machine: `python -m ambidex.benchmarks.throughput`.

Prints one table and writes JSON. Ratios are between figures of the same run.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from ambidex.atomic_files import write_json
from ambidex.benchmarks.speed.libero import libero_figures
from ambidex.benchmarks.speed.machine import describe_machine
from ambidex.benchmarks.speed.recording import recording_figures
from ambidex.benchmarks.speed.simulation import rendering_figures, simulation_figures
from ambidex.benchmarks.speed.timing import FULL, QUICK, Figure, table
from ambidex.command_line import print_message, run
from ambidex.errors import UsageError
from ambidex.flags import Switch

COMMAND = "throughput"
Section = Literal["simulation", "rendering", "recording", "libero", "training"]
BUSY = 0.5  # load average from which on others distort the figures
SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True, kw_only=True)
class ThroughputConfig:
    """Measure simulation, rendering, recording and training on this machine."""

    output: Path = Path("results/throughput.json")
    """JSON file to write."""
    sections: tuple[Section, ...] = SECTIONS
    """What to measure."""
    processes: int = 2
    """Processes for parallel rendering, and workers for recording."""
    quick: Switch = False
    """Small pictures and short times: shows that everything runs, not how fast."""
    quiet: Switch = False
    """Print nothing but the table."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: ThroughputConfig) -> None:
    """Measure, print the table and write the file."""
    if config.processes < 1:
        raise UsageError(f"--processes {config.processes}: at least 1.")
    machine = describe_machine()
    if not config.quiet:
        _warn_if_busy(float(machine["hardware"]["load_before"]))
    started = datetime.now(UTC).isoformat(timespec="seconds")
    figures = []
    for figure in _measure(config):
        figures.append(figure)
        if not config.quiet:
            print_message(COMMAND, f"{figure.label}: {figure.value:.4g} {figure.unit}")
    print(table(figures))
    write_json(config.output, {"started": started, "config": _plain(config), **machine, "figures": _rows(figures)})
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output}.")


def _warn_if_busy(load: float) -> None:
    if load > BUSY:
        print_message(
            COMMAND, f"Others are at work (load {load:.1f}), so the figures will be lower than this machine's own."
        )


def _measure(config: ThroughputConfig) -> Iterator[Figure]:
    effort = QUICK if config.quick else FULL
    if "simulation" in config.sections:
        yield from simulation_figures(effort)
    if "rendering" in config.sections:
        yield from rendering_figures(effort, config.processes)
    if "recording" in config.sections:
        yield from recording_figures(effort, config.processes)
    if "libero" in config.sections:
        yield from libero_figures(effort, config.processes)
    if "training" in config.sections:
        from ambidex.benchmarks.speed.training import training_figures  # needs torch, which the others do not

        yield from training_figures(effort)


def _plain(config: ThroughputConfig) -> dict[str, object]:
    return {**asdict(config), "output": str(config.output)}


def _rows(figures: list[Figure]) -> list[dict[str, object]]:
    return [{**asdict(figure), "value": figure.value} for figure in figures]


if __name__ == "__main__":
    run(COMMAND, main, ThroughputConfig)
