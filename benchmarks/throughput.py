"""Speed of everything on this machine: `python -m ambidex.benchmarks.throughput`.

Prints one table and writes JSON. Ratios are between measurements of the same run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from ambidex.atomic_files import write_json
from ambidex.benchmarks.speed.libero import measure_libero
from ambidex.benchmarks.speed.machine import describe_machine
from ambidex.benchmarks.speed.recording import measure_recording
from ambidex.benchmarks.speed.simulation import measure_rendering, measure_simulation, measure_tasks
from ambidex.benchmarks.speed.timing import FULL, QUICK, Measurement, markdown_table
from ambidex.codec import to_json
from ambidex.command_line import print_message, run
from ambidex.envs.registry import tasks_named
from ambidex.errors import UsageError
from ambidex.flags import Switch

COMMAND = "throughput"
Section = Literal["simulation", "rendering", "tasks", "recording", "libero", "training"]
SECTIONS: tuple[Section, ...] = get_args(Section)
BUSY = 0.5  # load average above which other programs distort the measurements


@dataclass(frozen=True, kw_only=True)
class ThroughputConfig:
    """Measure simulation, rendering, recording and training on this machine."""

    output: Path = Path("results/throughput.json")
    """JSON file to write."""
    sections: tuple[Section, ...] = SECTIONS
    """What to measure."""
    tasks: tuple[str, ...] = ()
    """Tasks or suites whose control steps and frames the section tasks measures, one by one."""
    processes: int = 2
    """Processes for parallel rendering, and workers for recording."""
    quick: Switch = False
    """Small images and short times: checks that everything runs, the speeds mean nothing."""
    quiet: Switch = False
    """Print only the table."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: ThroughputConfig) -> None:
    """Measure, print the table and write the file."""
    if config.processes < 1:
        raise UsageError(f"--processes {config.processes}: expected 1 or more.", processes=config.processes)
    tasks = tuple(task for name in config.tasks for task in tasks_named(name))
    machine = describe_machine()
    load = float(machine["hardware"]["load_before"])
    if load > BUSY and not config.quiet:
        print_message(COMMAND, f"Other programs are running (load {load:.1f}), so the speeds will be too low.")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    measurements = []
    for measured in _measure(config, tasks):
        measurements.append(measured)
        if not config.quiet:
            print_message(COMMAND, f"{measured.label}: {measured.value:.4g} {measured.unit}")
    print(markdown_table(measurements))
    figures = [{**asdict(measured), "value": measured.value} for measured in measurements]
    write_json(config.output, {"started": started, "config": to_json(config), **machine, "figures": figures})
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output}.")


def _measure(config: ThroughputConfig, tasks: Sequence[str]) -> Iterator[Measurement]:
    effort = QUICK if config.quick else FULL
    if "simulation" in config.sections:
        yield from measure_simulation(effort)
    if "rendering" in config.sections:
        yield from measure_rendering(effort, config.processes)
    if "tasks" in config.sections:
        yield from measure_tasks(effort, tasks)
    if "recording" in config.sections:
        yield from measure_recording(effort, config.processes)
    if "libero" in config.sections:
        yield from measure_libero(effort, config.processes)
    if "training" in config.sections:
        from ambidex.benchmarks.speed.training import measure_training  # needs torch, the other sections do not

        yield from measure_training(effort)


if __name__ == "__main__":
    run(COMMAND, main, ThroughputConfig)
