"""report.md and report.json of the GPU study."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.results.folder import read_rows
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.speed.machine import describe_machine
from ambidex.benchmarks.studies.gpu_plan import TrainingCell
from ambidex.output_folder import TRAINING_PACKAGES, versions

# FOLDED benchmarks.study.study_figures: What the GPU study found, read from the folders that its jobs wrote.

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
    summary: Tally
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
    summary = Tally.of([row for folder in results for row in read_rows(folder)])
    return SuccessFigure(variant=variant, task=task, seed=seed, summary=summary, training_s=training_s)


PAPER = {"transfer_cube": 86, "insertion": 32}
"""Success of ACT on scripted data in Zhao et al. (2023), table I [%]."""


class StudyReport:
    """What there is of a study, finished or not.

    Args:
        command: The command line.
        machine: Hardware, OpenGL, versions and GPU, as groups of named values.
        notes: What has to be said about the settings.
        speeds: How fast settings train.
        successes: How often trainings succeed.
        failed: Job -> what became of it.
        missing: Jobs that are still to be run.
    """

    def __init__(
        self,
        *,
        command: str,
        machine: Mapping[str, Mapping[str, str | float]],
        notes: Sequence[str],
        speeds: Sequence[SpeedFigure],
        successes: Sequence[SuccessFigure],
        failed: Mapping[str, str],
        missing: Sequence[str],
    ) -> None:
        self._command, self._machine, self._failed, self._missing = command, machine, failed, missing
        self._notes, self._speeds, self._successes = notes, speeds, successes

    def write(self, folder: Path) -> None:
        """Write both files.

        Raises:
            DatasetError: One cannot be written.
        """
        write_text(folder / "report.md", self.in_words() + "\n")
        write_json(folder / "report.json", self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "command": self._command,
            "complete": not self._missing and not self._failed,
            "machine": {group: dict(values) for group, values in self._machine.items()},
            "notes": list(self._notes),
            "speeds": [asdict(figure) for figure in self._speeds],
            "successes": [asdict(figure) for figure in self._successes],
            "paper_percent": PAPER,
            "failed": dict(self._failed),
            "missing": list(self._missing),
        }

    def in_words(self) -> str:
        """The tables in Markdown, with the machine above and what is missing below."""
        open_jobs = [f"Failed: {name} ({reason})" for name, reason in self._failed.items()]
        if self._missing:
            open_jobs.append(f"Still to be run: {', '.join(self._missing)}")
        tables = [*self._speed_table(), "", *self._success_table()]
        return "\n".join([_machine(self._machine), *self._notes, "", *tables, *open_jobs])

    def _speed_table(self) -> list[str]:
        if not self._speeds:
            return ["Training speed: not measured yet."]
        parts = list(self._speeds[0].parts)
        header = (
            "variant",
            "precision",
            "compiled",
            "samples/s",
            *(f"{part.replace('_', ' and ')} [ms/sample]" for part in parts),
        )
        return _table(header, [_speed(figure, parts) for figure in self._speeds])

    def _success_table(self) -> list[str]:
        if not self._successes:
            return ["Success: not measured yet."]
        header = ("variant", "task", "seed", "strict success", "paper, scripted data", "training [min]")
        return _table(header, [_success(figure) for figure in self._successes])


def _machine(machine: Mapping[str, Mapping[str, str | float]]) -> str:
    hardware, gpu, versions = machine["hardware"], machine["gpu"], machine["versions"]
    card = f"{gpu['name']}, CUDA {gpu['cuda']}" if gpu else "no GPU"
    return (
        f"{card}; {hardware['usable_cores']} cores of {hardware['processor']}; OpenGL {machine['opengl']['renderer']}; "
        f"torch {versions['torch']}, mujoco {versions['mujoco']}, ambidex {versions['ambidex']}."
    )


def _speed(figure: SpeedFigure, parts: Sequence[str]) -> list[str]:
    cell, times = figure.cell, [f"{figure.parts.get(part, 0.0):.3g}" for part in parts]
    return [cell.variant, cell.precision, "yes" if cell.compile else "no", f"{figure.samples_per_s:.4g}", *times]


def _success(figure: SuccessFigure) -> list[str]:
    seed = "all" if figure.seed is None else str(figure.seed)
    paper = f"{PAPER[figure.task]} %" if figure.task in PAPER else ""
    minutes = f"{figure.training_s / 60:.1f}"
    return [figure.variant, figure.task, seed, figure.summary.in_words(), paper, minutes]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


# FOLDED benchmarks.study.study_machine: The accelerator a figure was measured with.


def describe_accelerated_machine() -> dict[str, dict[str, str | float]]:
    """Hardware, OpenGL, versions and GPU, ready for JSON; `gpu` is empty without one.

    Raises:
        RenderingError: There is no OpenGL.
    """
    machine = describe_machine()
    machine["versions"] = {**machine["versions"], **versions(TRAINING_PACKAGES)}
    return {**machine, "gpu": _gpu()}


def _gpu() -> dict[str, str | float]:
    if not torch.cuda.is_available():
        return {}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "count": torch.cuda.device_count(),
        "memory_mb": round(properties.total_memory / 1e6),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
    }
