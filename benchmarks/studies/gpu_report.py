"""Reads what the jobs of the GPU study wrote, and writes report.md and report.json."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from statistics import median

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.speed.machine import describe_machine
from ambidex.benchmarks.speed.training_speed import SpeedResult
from ambidex.benchmarks.studies.gpu_config import ModelCell
from ambidex.benchmarks.studies.gpu_plan import StudyPlan, TrainingCell
from ambidex.benchmarks.studies.job_runner import StudyJob, StudyRunner
from ambidex.codec import from_json, parse
from ambidex.output_folder import TRAINING_PACKAGES, versions

SPEED = "speed/"
PER_SAMPLE = "_ms_per_sample"
PAPER = {"transfer_cube": 86, "insertion": 32}
"""Success of ACT on scripted data in Zhao et al. (2023), table I [%]."""

Machine = Mapping[str, Mapping[str, str | float]]


@dataclass(frozen=True, kw_only=True)
class SpeedFigure:
    """Training speed of one combination of settings: medians over windows of the log, warm-up left out.

    `parts` maps each part of a step to its time per sample [ms].
    """

    cell: TrainingCell
    samples_per_s: float
    parts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ModelFigure:
    """Time and memory of the training steps of a large model."""

    cell: ModelCell
    result: SpeedResult


@dataclass(frozen=True, kw_only=True)
class SuccessFigure:
    """Success rate of one training, or of all trainings of a variant on a task.

    Attributes:
        variant: How it was trained.
        task: The task.
        seed: Seed of the training; None for all seeds together.
        summary: Results of its benchmark.
        training_s: Wall-clock time of the training, start-up, compiling and decoding included [s].
    """

    variant: str
    task: str
    seed: int | None
    summary: Tally
    training_s: float


@dataclass(frozen=True, kw_only=True)
class StudyReport:
    """Everything a study has measured so far.

    Attributes:
        command: The command line.
        machine: Hardware, OpenGL, versions and GPU, as groups of named values.
        notes: Remarks on the settings.
        speeds: Training speeds.
        models: Training steps of large models.
        successes: Success rates.
        paper_percent: Task -> published success of ACT [%].
        failed: Job -> why it failed.
        missing: Jobs that have not run yet.
    """

    command: str
    machine: Machine
    notes: Sequence[str]
    speeds: Sequence[SpeedFigure]
    models: Sequence[ModelFigure] = ()
    successes: Sequence[SuccessFigure]
    paper_percent: Mapping[str, int] = field(default_factory=lambda: PAPER)
    failed: Mapping[str, str]
    missing: Sequence[str]

    def write(self, folder: Path) -> None:
        """Write both files."""
        write_text(folder / "report.md", self.markdown() + "\n")
        write_json(folder / "report.json", self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {"command": self.command, "complete": not self.missing and not self.failed, **asdict(self)}

    def markdown(self) -> str:
        """All tables, with the machine above them and the jobs that failed or are missing below."""
        jobs = [f"Failed: {name} ({reason})" for name, reason in self.failed.items()]
        if self.missing:
            jobs.append(f"Still to be run: {', '.join(self.missing)}")
        tables = [*self._speed_table(), "", *self._model_table(), "", *self._success_table()]
        return "\n".join([_machine(self.machine), *self.notes, "", *tables, *jobs])

    def _speed_table(self) -> list[str]:
        if not self.speeds:
            return ["Training speed: not measured yet."]
        parts = list(self.speeds[0].parts)
        times = [f"{part.replace('_', ' and ')} [ms/sample]" for part in parts]
        header = ("variant", "precision", "compiled", "samples/s", *times)
        rows = []
        for figure in self.speeds:
            cell, values = figure.cell, [f"{figure.parts.get(part, 0.0):.3g}" for part in parts]
            compiled = "yes" if cell.compile else "no"
            rows.append([cell.variant, cell.precision, compiled, f"{figure.samples_per_s:.4g}", *values])
        return _table(header, rows)

    def _model_table(self) -> list[str]:
        if not self.models:
            return ["Large models: not measured yet."]
        header = ("model", "attention", "batch", "trained", "step, median [ms]", "samples/s", "most memory [GB]")
        return _table(header, [_model_row(figure) for figure in self.models])

    def _success_table(self) -> list[str]:
        if not self.successes:
            return ["Success: not measured yet."]
        header = ("variant", "task", "seed", "strict success", "paper, scripted data", "training [min]")
        return _table(header, [_success_row(figure) for figure in self.successes])


def _machine(machine: Machine) -> str:
    hardware, gpu, versions = machine["hardware"], machine["gpu"], machine["versions"]
    card = f"{gpu['name']}, CUDA {gpu['cuda']}" if gpu else "no GPU"
    return (
        f"{card}; {hardware['usable_cores']} cores of {hardware['processor']}; OpenGL {machine['opengl']['renderer']}; "
        f"torch {versions['torch']}, mujoco {versions['mujoco']}, ambidex {versions['ambidex']}."
    )


def _model_row(figure: ModelFigure) -> list[str]:
    cell, result = figure.cell, figure.result
    first = [cell.preset, cell.attention, str(cell.batch_size)]
    if result.obstacle:
        return [*first, "", f"not measured: {result.obstacle}", "", ""]
    seconds = median(result.seconds)
    share = f"{result.trained / 1e6:.0f} of {result.parameters / 1e6:.0f} M"
    memory = "" if result.peak_bytes is None else f"{result.peak_bytes / 1e9:.1f}"
    return [*first, share, f"{1e3 * seconds:.1f}", f"{cell.batch_size / seconds:.3g}", memory]


def _success_row(figure: SuccessFigure) -> list[str]:
    seed = "all" if figure.seed is None else str(figure.seed)
    paper = f"{PAPER[figure.task]} %" if figure.task in PAPER else ""
    minutes = f"{figure.training_s / 60:.1f}"
    return [figure.variant, figure.task, seed, str(figure.summary), paper, minutes]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def study_report(plan: StudyPlan, runner: StudyRunner, command: str) -> StudyReport:
    """Read everything that the jobs of a study have measured so far."""
    jobs = {job.name: job for job in plan.jobs()}
    timed = [cell for cell in plan.cells if runner.done(jobs[f"speed-{cell.name}"])]
    return StudyReport(
        command=command,
        machine=describe_machine_with_gpu(),
        notes=plan.notes,
        speeds=[_speed(cell, plan.speed_folder(cell), plan.warmup) for cell in timed],
        models=[
            ModelFigure(cell=cell, result=from_json(SpeedResult, parse(plan.model_file(cell).read_bytes())))
            for cell in plan.models
            if runner.done(jobs[f"model-{cell.name}"])
        ],
        successes=[
            figure
            for variant, task in product(plan.variants, plan.tasks)
            for figure in _successes(plan, runner, jobs, variant.name, task)
        ],
        failed=runner.failed,
        missing=[name for name, job in jobs.items() if not runner.done(job) and name not in runner.failed],
    )


def _speed(cell: TrainingCell, run: Path, warmup: int) -> SpeedFigure:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    medians = {
        name.removeprefix(SPEED): median(event.value for event in events.Scalars(name) if event.step > warmup)
        for name in events.Tags()["scalars"]
        if name.startswith(SPEED)
    }
    parts = {name.removesuffix(PER_SAMPLE): value for name, value in medians.items() if name.endswith(PER_SAMPLE)}
    return SpeedFigure(cell=cell, samples_per_s=medians["samples_per_s"], parts=parts)


def _successes(
    plan: StudyPlan, runner: StudyRunner, jobs: Mapping[str, StudyJob], variant: str, task: str
) -> Iterator[SuccessFigure]:
    """The success rate of each seed, and of all seeds together."""
    rows, seconds = list[list[EpisodeRow]](), list[float]()
    for seed in plan.seeds:
        folder = plan.results_folder(variant, task, seed)
        if runner.done(jobs[f"benchmark-{folder.name}"]):
            rows.append(ResultsFolder(folder).rows)
            seconds.append(runner.seconds(jobs[f"train-{folder.name}"]))
            yield SuccessFigure(
                variant=variant, task=task, seed=seed, summary=Tally.of(rows[-1]), training_s=seconds[-1]
            )
    if len(rows) > 1:
        summary = Tally.of([row for each in rows for row in each])
        yield SuccessFigure(variant=variant, task=task, seed=None, summary=summary, training_s=sum(seconds))


def describe_machine_with_gpu() -> dict[str, dict[str, str | float]]:
    """Hardware, OpenGL, versions and GPU, ready for JSON; `gpu` is empty without one."""
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
