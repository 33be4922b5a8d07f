"""Whether a long run takes ever more of the machine: `python -m ambidex.benchmarks.soak`.

Runs `run-benchmark` or `record-episodes` for thousands of episodes, samples memory, descriptors, shared memory,
temporary files, threads and speed, and says for each whether it grows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ambidex.atomic_files import write_json
from ambidex.benchmarks.results.info import describe_hardware
from ambidex.benchmarks.results.row import RESULTS
from ambidex.benchmarks.soak.monitor import Sample, SoakCommand, monitor
from ambidex.benchmarks.soak.report import SoakRun
from ambidex.codec import to_json
from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.registry import SUITES, tasks_named
from ambidex.errors import UsageError
from ambidex.flags import ImageSize, Names, OptionalInt, Switch
from ambidex.output_folder import versions
from ambidex.progress import Progress
from ambidex.recorders.dataset.attempts import ATTEMPTS

COMMAND = "soak"
SAMPLES = 100  # of a run, unless --every is given


@dataclass(frozen=True, kw_only=True)
class SoakConfig:
    """Run many episodes, and see whether memory, descriptors, temporary files or the time of an episode grow.

    The exit status is 1 if something grows.
    """

    job: Literal["benchmark", "record"] = "benchmark"
    """What to run: run-benchmark, or record-episodes."""
    task: tuple[str, ...] = ("transfer_cube",)
    """Tasks, or suites: one run for each. A suite is one benchmark of all its tasks, and one recording of each task."""
    episodes: int = 10_000
    """Episodes of each task; in a recording, successful ones."""
    policy: str = "scripted"
    """Baseline of the benchmark, such as scripted or hold, or MODULE:NAME, code of your own. Recordings have the
    expert."""
    workers: OptionalInt = None
    """Worker processes; auto is the command's own default."""
    every: OptionalInt = None
    """Episodes from one sample to the next; auto makes 100 samples."""
    cameras: Names = None
    """Cameras of the recording; auto is the family's, none records states only."""
    image_size: ImageSize = None
    """Height and width of the recorded images [px]; auto is the family's."""
    output: Path = Path("results/soak.json")
    """JSON file to write: all samples and findings."""
    quiet: Switch = False
    """Print only the tables."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: SoakConfig) -> int:
    """Run everything, print a table for each run, and write the file."""
    _check(config)
    started, hardware = datetime.now(UTC).isoformat(timespec="seconds"), describe_hardware()
    runs: list[SoakRun] = []
    try:
        for command in soak_commands(config):
            _soak(command, config, runs)
    finally:
        if any(each.samples for each in runs):
            content = {"started": started, "config": config, "hardware": hardware, "versions": versions(), "runs": runs}
            write_json(config.output, to_json(content))
            if not config.quiet:
                print_message(COMMAND, f"Written to {config.output}.")
    return FAILED if any(each.grows for each in runs) else DONE


def _check(config: SoakConfig) -> None:
    for name, value in (("episodes", config.episodes), ("every", config.every)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: expected 1 or more.", field=name, got=value)
    if not config.task:
        raise UsageError("--task: expected a task or a suite.", field="task")
    recording = [name for name in ("cameras", "image_size") if getattr(config, name) is not None]
    if config.job == "benchmark" and recording:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in recording)
        raise UsageError(f"{flags}: a benchmark of a baseline has no images.", "Give --job record, or leave it out.")


def soak_commands(config: SoakConfig) -> Iterator[SoakCommand]:
    """The commands to run, one after the other.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    for name in config.task:
        tasks = tasks_named(name)
        if config.job == "benchmark":
            yield _benchmark(name, len(tasks), config)
        else:
            yield from (_recording(task, config) for task in tasks)


def _benchmark(name: str, tasks: int, config: SoakConfig) -> SoakCommand:
    flags = ["--policy", config.policy, "--suite" if name in SUITES else "--task", name, "--video", "none"]
    return SoakCommand(
        label=f"run-benchmark --policy {config.policy}, {name}",
        module="ambidex.benchmarks.run_benchmark",
        flags=(*flags, "--episodes", str(config.episodes), *_workers(config)),
        log=RESULTS,
        episodes=config.episodes * tasks,
    )


def _recording(task: str, config: SoakConfig) -> SoakCommand:
    flags = ["--task", task, "--num-episodes", str(config.episodes), *_workers(config)]
    if config.cameras is not None:
        flags += ["--cameras", *(config.cameras or ("none",))]
    if config.image_size is not None:
        flags += ["--image-size", *map(str, config.image_size)]
    module = "ambidex.recorders.record_episodes"
    label = f"record-episodes, {task}"
    return SoakCommand(label=label, module=module, flags=tuple(flags), log=ATTEMPTS, episodes=config.episodes)


def _workers(config: SoakConfig) -> tuple[str, ...]:
    return () if config.workers is None else ("--workers", str(config.workers))


def _soak(command: SoakCommand, config: SoakConfig, runs: list[SoakRun]) -> None:
    """Run one command, print its table, and add what was seen to `runs`, also if it is interrupted or fails."""
    every = config.every or max(1, command.episodes // SAMPLES)
    samples: list[Sample] = []

    def take(sample: Sample) -> None:
        samples.append(sample)
        bar.update(sample.episodes, words=f"{sample.episodes / sample.seconds:.2f} episodes/s")

    try:
        with (
            Progress(command.label, command.episodes, quiet=config.quiet) as bar,
            TemporaryDirectory(prefix="ambidex-soak-") as folder,
        ):
            monitor(command, every, Path(folder), take)
    finally:
        runs.append(SoakRun.of(command, every, samples))
        print_result(runs[-1])


if __name__ == "__main__":
    run(COMMAND, main, SoakConfig)
