"""The jobs of the GPU study, in order: the quickest and most informative ones come first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ambidex.benchmarks.studies.gpu_config import (
    MODEL_CELLS,
    SMOKE,
    SMOKE_CELLS,
    VARIANTS,
    GpuStudyConfig,
    ModelCell,
    Variant,
)
from ambidex.benchmarks.studies.job_runner import COMMANDS, StudyJob
from ambidex.envs.registry import TASKS
from ambidex.errors import UsageError, check_name

CAMERA = "top"
SPEED_EPISODES = 8  # so few that decoding them takes no time
SAVE_EVERY = 2000  # [steps]
FROM_SCRATCH = {"backbone-norm": "group", "backbone-weights": "none"}


@dataclass(frozen=True, kw_only=True)
class TrainingCell:
    """Settings for which training speed is measured; "fp32" has TF32 in matrix products on a GPU."""

    variant: str
    precision: str
    compile: bool

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.precision}-{'compiled' if self.compile else 'eager'}"


class StudyPlan:
    """The jobs of a study and their folders.

    Args:
        config: The flags.
        weights: ImageNet weights for the variants that start from them; None if there are none.

    Attributes:
        variants, tasks, seeds: How to train, on what, and with which seeds.
        cells: Combinations of settings for which training speed is measured.
        models: Large models whose training steps are timed.
        warmup: First steps of a timed training, which are not counted.
        window: Steps from one entry of its log to the next.

    Raises:
        UsageError: Nothing to do, or an unknown task or variant.
    """

    def __init__(self, config: GpuStudyConfig, weights: Path | None = None) -> None:
        _check(config)
        self._config, self._folder, self._weights = config, config.output_dir, weights
        self.variants = (SMOKE,) if config.smoke else tuple(VARIANTS[name] for name in config.variants)
        self.tasks = config.tasks[:1] if config.smoke else config.tasks
        self.seeds = tuple(range(1 if config.smoke else config.seeds))
        self.models = SMOKE_CELLS if config.smoke else MODEL_CELLS
        self.warmup, self.window, self._windows = (2, 2, 2) if config.smoke else (100, 50, 5)
        names, compiled = [variant.name for variant in self.variants], (False,) if config.smoke else (False, True)
        self.cells = tuple(
            TrainingCell(variant=variant, precision=precision, compile=compile)
            for variant, precision, compile in product(names, ("fp32", "bf16"), compiled)
        )

    @property
    def notes(self) -> list[str]:
        """What the image encoder of each variant starts from, where that depends on this machine."""
        origin = str(self._weights) if self._weights else "scratch, with group norm: no weights found"
        return [
            f"{variant.name}: the image encoder starts from {origin}." for variant in self.variants if variant.imagenet
        ]

    def jobs(self) -> list[StudyJob]:
        """All jobs; each comes after those it needs."""
        recordings = [self._record(task) for task in self.tasks]
        renderings = [self._render(variant, task) for variant in self.variants for task in self.tasks]
        speeds = [*map(self._record_for_speed, self.variants), *map(self._time_training, self.cells)]
        return [*recordings, *renderings, *speeds, *map(self._time_model, self.models), *self._trainings()]

    def run_folder(self, variant: str, task: str, seed: int) -> Path:
        """Output folder of a training."""
        return self._folder / "runs" / f"{variant}-{task}-{seed}"

    def results_folder(self, variant: str, task: str, seed: int) -> Path:
        """Output folder of the benchmark of a training."""
        return self._folder / "results" / f"{variant}-{task}-{seed}"

    def speed_folder(self, cell: TrainingCell) -> Path:
        """Output folder of a timed training."""
        return self._folder / "speed" / cell.name

    def model_file(self, cell: ModelCell) -> Path:
        """Output of the timed steps of a large model."""
        return self._folder / "models" / f"{cell.name}.json"

    def _data(self, kind: str, task: str) -> Path:
        return self._folder / "data" / f"{task}-{kind}"

    def _record(self, task: str) -> StudyJob:
        """Records states only; the images of all variants are rendered from them."""
        folder, count = self._data("states", task), 2 if self._config.smoke else self._config.episodes
        flags = ("--task", task, "--num-episodes", str(count), "--cameras", "none", "--output-dir", str(folder))
        return _job(f"record-{task}", "record-episodes", flags, folder)

    def _render(self, variant: Variant, task: str) -> StudyJob:
        folder = self._data(variant.name, task)
        flags = (str(self._data("states", task)), *_image_flags(variant), "--output-dir", str(folder))
        return _job(f"render-{variant.name}-{task}", "render-episodes", flags, folder, f"record-{task}")

    def _record_for_speed(self, variant: Variant) -> StudyJob:
        folder, count = self._data(variant.name, "speed"), 1 if self._config.smoke else SPEED_EPISODES
        episodes = ("--task", self.tasks[0], "--num-episodes", str(count))
        flags = (*episodes, *_image_flags(variant), "--output-dir", str(folder))
        return _job(f"record-speed-{variant.name}", "record-episodes", flags, folder)

    def _time_training(self, cell: TrainingCell) -> StudyJob:
        variant = next(variant for variant in self.variants if variant.name == cell.variant)
        folder, steps = self.speed_folder(cell), str(self.warmup + self.window * self._windows)
        values = {"steps": steps, "log-every": str(self.window), "save-every": steps, "validation-fraction": "0"}
        values |= {"precision": cell.precision, "data": str(self._data(variant.name, "speed"))}
        flags = self._training_flags(variant, folder, values, compile=cell.compile)
        return _job(f"speed-{cell.name}", "train-policy", flags, folder, f"record-speed-{variant.name}")

    def _time_model(self, cell: ModelCell) -> StudyJob:
        file, steps = self.model_file(cell), "2" if self._config.smoke else "20"
        values = {"policy": "robovlms", "preset": cell.preset, "attention": cell.attention, "steps": steps}
        values |= {"batch-size": str(cell.batch_size), "precision": "bf16", "device": self._config.device}
        flags = (*_flags({**values, "output": str(file)}), "--gradient-checkpointing")
        return _job(f"model-{cell.name}", "training-speed", flags, file.parent)

    def _trainings(self) -> Iterator[StudyJob]:
        for variant, seed, task in product(self.variants, self.seeds, self.tasks):
            yield self._train(variant, task, seed)
            yield self._benchmark(variant, task, seed)

    def _train(self, variant: Variant, task: str, seed: int) -> StudyJob:
        folder = self.run_folder(variant.name, task, seed)
        values = {"data": str(self._data(variant.name, task)), "seed": str(seed)}
        values |= {"save-every": str(SAVE_EVERY), "keep-checkpoints": "1"}
        flags = self._training_flags(variant, folder, values, compile=not self._config.smoke)
        return _job(f"train-{folder.name}", "train-policy", flags, folder, f"render-{variant.name}-{task}")

    def _training_flags(
        self, variant: Variant, folder: Path, own: Mapping[str, str], *, compile: bool
    ) -> tuple[str, ...]:
        values = {"policy": "act", **variant.training, "device": self._config.device}
        if variant.imagenet:
            values |= FROM_SCRATCH if self._weights is None else {"backbone-weights": str(self._weights)}
        values |= {**own, "output-dir": str(folder)}
        return (*_flags(values), "--compile") if compile else _flags(values)

    def _benchmark(self, variant: Variant, task: str, seed: int) -> StudyJob:
        run, folder = self.run_folder(variant.name, task, seed), self.results_folder(variant.name, task, seed)
        count = 2 if self._config.smoke else self._config.rollouts
        values = {"policy": "act", "checkpoint": str(run), "task": task, "episodes": str(count), "video": "none"}
        values |= {"device": self._config.device, "output-dir": str(folder)}
        return _job(f"benchmark-{folder.name}", "run-benchmark", _flags(values), folder, f"train-{run.name}")


def _job(name: str, command: str, flags: tuple[str, ...], folder: Path, *needs: str) -> StudyJob:
    return StudyJob(name=name, command=command, flags=flags, marker=folder / COMMANDS[command][1], needs=needs)


def _flags(values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in (f"--{name}", value))


def _image_flags(variant: Variant) -> tuple[str, ...]:
    height, width = map(str, variant.image_size)
    return ("--cameras", CAMERA, "--image-size", height, width)


def _check(config: GpuStudyConfig) -> None:
    for task in config.tasks:
        check_name("task", task, TASKS)
    for variant in config.variants:
        check_name("variant", variant, VARIANTS)
    counts = {"seeds": config.seeds, "episodes": config.episodes, "rollouts": config.rollouts}
    counts |= {"tasks": len(config.tasks), "variants": len(config.variants)}
    for name, count in {**counts, "minutes": 1 if config.minutes is None else config.minutes}.items():
        if count < 1:
            raise UsageError(f"--{name} {count}: expected 1 or more.", flag=f"--{name}", got=count)
