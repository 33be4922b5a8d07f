"""What the GPU study found, read from the folders that its jobs wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.benchmarks.results_folder import read_rows
from ambidex.benchmarks.study.training_cell import TrainingCell
from ambidex.benchmarks.summary import Summary

SPEED = "speed/"
PER_SAMPLE = "_ms_per_sample"


@dataclass(frozen=True, kw_only=True)
class SpeedFigure:
    """How fast one setting trains: medians over windows of the log, without those that warm up.

    Attributes:
        cell: The setting.
        samples_per_s: Samples per second.
        parts: Part of a step -> its time per sample [ms].
    """

    cell: TrainingCell
    samples_per_s: float
    parts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class SuccessFigure:
    """How often one training succeeds.

    Attributes:
        variant: How it was trained.
        task: On what.
        seed: Seed of the training; None for all of them together.
        summary: What its benchmark found.
        training_s: Wall-clock time of the training, start-up, compiling and decoding included [s].
    """

    variant: str
    task: str
    seed: int | None
    summary: Summary
    training_s: float


def speed_figure(cell: TrainingCell, run: Path, warmup: int) -> SpeedFigure:
    """From the curves of a finished training; entries up to step `warmup` are left out."""
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    names = [name for name in events.Tags()["scalars"] if name.startswith(SPEED)]
    medians = {
        name.removeprefix(SPEED): median(event.value for event in events.Scalars(name) if event.step > warmup)
        for name in names
    }
    parts = {name.removesuffix(PER_SAMPLE): value for name, value in medians.items() if name.endswith(PER_SAMPLE)}
    return SpeedFigure(cell=cell, samples_per_s=medians["samples_per_s"], parts=parts)


def success_figure(variant: str, task: str, seed: int | None, results: list[Path], training_s: float) -> SuccessFigure:
    """From one finished benchmark, or several of trainings that differ in their seed."""
    summary = Summary.of([row for folder in results for row in read_rows(folder)])
    return SuccessFigure(variant=variant, task=task, seed=seed, summary=summary, training_s=training_s)
