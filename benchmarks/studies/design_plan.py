"""The cells of a design study, and its jobs: each cell is trained, and benchmarked in every task."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any, ClassVar

from ambidex.benchmarks.studies.job_runner import COMMANDS, StudyJob
from ambidex.envs.registry import tasks_named
from ambidex.errors import AmbidexError, UsageError, check_name
from ambidex.flags import OptionalInt, Switch
from ambidex.policies.serving.execution import MODES
from ambidex.policies.train_policy import defaults_for

SWITCH = {"on": True, "off": False}
NAMED = {"structures": "structure", "heads": "head", "camera_tokens": "camera_tokens"}
"""Fields of the study's flags -> the setting of the policy whose values they list."""


@dataclass(frozen=True, kw_only=True)
class DesignStudyConfig:
    """Train a policy with every combination of some settings on the same data, and benchmark all on the same seeds.

    Combinations that the policy refuses are left out, and the report says why.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "policy data tasks vary train trainings episodes output_dir",
        "Settings to compare": "structures heads history camera_tokens camera_attention executions",
    }

    policy: str
    """Name of the policy: act, uniact or robovlms."""
    data: tuple[Path, ...]
    """Datasets; every cell is trained on all of them."""
    tasks: tuple[str, ...]
    """Tasks or suites to benchmark every cell in."""
    structures: tuple[str, ...] = ()
    """Structures of robovlms to compare."""
    heads: tuple[str, ...] = ()
    """Action heads of robovlms to compare."""
    history: tuple[int, ...] = ()
    """Lengths of the observation history to compare."""
    camera_tokens: tuple[str, ...] = ()
    """Camera tokens of act to compare: grid, pooled."""
    camera_attention: tuple[str, ...] = ()
    """Camera attention of act to compare: off, on."""
    vary: tuple[str, ...] = ()
    """Further settings of the policy to compare, NAME=VALUE,VALUE; on and off for switches."""
    executions: tuple[str, ...] = ("chunk",)
    """Executions to benchmark every training with: chunk, first, ensemble."""
    train: tuple[str, ...] = ()
    """Flags of train-policy for all cells, NAME=VALUE or NAME: preset=tiny steps=3000."""
    trainings: int = 1
    """Trainings of each cell, with the seeds 0, 1, ..."""
    episodes: int = 50
    """Episodes per task, training and execution."""
    seed: int = 100000
    """First benchmark seed."""
    output_dir: Path = Path("results/design_study")
    """Folder of runs, results and the report; the same command resumes in it."""
    minutes: OptionalInt = None
    """Stop after so many minutes, and report what is measured by then."""
    quiet: Switch = False
    """Print only the report."""
    debug: Switch = False
    """Show tracebacks."""


@dataclass(frozen=True, kw_only=True)
class StudyCell:
    """One combination of settings.

    Attributes:
        settings: Setting of the policy -> value, those that are compared.
        execution: How chunks are executed.
        implied: Settings that follow from these, and are not compared: a history of 1.
    """

    settings: Mapping[str, object]
    execution: str
    implied: Mapping[str, object]

    @property
    def training_name(self) -> str:
        """Names the trainings of the cell in folders; cells that differ in the execution share them."""
        parts = [f"{name}_{_word(value)}".replace("/", "_") for name, value in self.settings.items()]
        return "-".join(parts) or "default"

    def differs_in(self, other: "StudyCell") -> tuple[str, ...]:
        """Names of the settings in which two cells differ, the execution among them."""
        names = [name for name, value in self.settings.items() if other.settings[name] != value]
        return (*names, *(["execution"] if self.execution != other.execution else []))

    def words(self) -> tuple[str, ...]:
        """The settings as flags of train-policy."""
        chosen = {**self.settings, **self.implied}
        return tuple(word for name, value in chosen.items() for word in _flag(name, value))


class DesignPlan:
    """The cells of a study and their jobs.

    Attributes:
        cells: Combinations that can be trained.
        left_out: Combinations that the policy refuses, each with its reason.
        tasks: Tasks of the benchmarks.
        seeds: Seeds of the trainings.
        steps: Steps of each.
        config: The study's flags.

    Raises:
        UsageError: A setting that the policy does not have or a value of another kind, an unknown policy, task or
            execution, or nothing that can be trained.
    """

    def __init__(self, config: DesignStudyConfig) -> None:
        _check(config)
        self.config, self._folder = config, config.output_dir
        self.tasks = tuple(dict.fromkeys(task for name in config.tasks for task in tasks_named(name)))
        self.seeds = tuple(range(config.trainings))
        defaults = defaults_for(["--policy", config.policy, *_train_words(config)])
        self.steps, self._model = str(dict(_train_flags(config)).get("steps") or defaults.steps), defaults.model
        self.left_out: dict[str, str] = {}
        self.cells = tuple(self._cells(_varied(config, self._model)))
        if not self.cells:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.left_out.items())
            raise UsageError(f"{config.policy} can be trained with none of the combinations. {reasons}")

    @property
    def pairs(self) -> list[tuple[StudyCell, StudyCell]]:
        """Cells that differ in one setting only, in the order of the settings."""
        found = [(a, b) for a, b in combinations(self.cells, 2) if len(a.differs_in(b)) == 1]
        return sorted(found, key=lambda pair: self.varied.index(pair[0].differs_in(pair[1])[0]))

    @property
    def varied(self) -> tuple[str, ...]:
        """The settings that are compared, the execution last if there are several."""
        several = len({cell.execution for cell in self.cells}) > 1
        return (*self.cells[0].settings, *(["execution"] if several else []))

    def value(self, cell: StudyCell, setting: str) -> str:
        """The value of one of `varied` in a cell."""
        return cell.execution if setting == "execution" else _word(cell.settings[setting])

    def about(self) -> dict[str, str]:
        """What all cells have in common, by name."""
        config = self.config
        last, seeds = config.seed + config.episodes - 1, ", ".join(map(str, self.seeds))
        return {
            "policy": config.policy,
            "data": ", ".join(map(str, config.data)),
            "flags of all trainings": " ".join(_train_words(config)) or "none",
            "trainings of each combination": f"{len(self.seeds)} of {self.steps} steps, seeds {seeds}",
            "episodes of each training and task": f"{config.episodes}, seeds {config.seed} to {last}",
        }

    def jobs(self) -> list[StudyJob]:
        """All jobs: for each seed, every training is followed by its benchmarks."""
        jobs: dict[str, StudyJob] = {}
        for seed, cell in product(self.seeds, self.cells):
            train = self.train_job(cell, seed)
            jobs |= {train.name: train}
            jobs |= {job.name: job for task in self.tasks for job in [self._benchmark(cell, seed, task, train)]}
        return list(jobs.values())

    def train_job(self, cell: StudyCell, seed: int) -> StudyJob:
        """The training of a cell with a seed."""
        name = f"{cell.training_name}-{seed}"
        folder = self._folder / "runs" / name
        flags = ("--policy", self.config.policy, *_train_words(self.config), *cell.words())
        flags += ("--data", *map(str, self.config.data), "--seed", str(seed), "--output-dir", str(folder))
        return StudyJob(
            name=f"train-{name}", command="train-policy", flags=flags, marker=_marker(folder, "train-policy")
        )

    def results_folder(self, cell: StudyCell, seed: int, task: str) -> Path:
        """Output folder of a benchmark."""
        return self._folder / "results" / f"{cell.training_name}-{seed}" / f"{task.replace('/', '_')}-{cell.execution}"

    def _benchmark(self, cell: StudyCell, seed: int, task: str, train: StudyJob) -> StudyJob:
        config, folder = self.config, self.results_folder(cell, seed, task)
        values = {"policy": config.policy, "checkpoint": str(train.marker.parent), "task": task, "video": "failures"}
        values |= {"episodes": str(config.episodes), "seed": str(config.seed), "execution": cell.execution}
        flags = tuple(word for name, value in values.items() for word in (f"--{name}", value))
        return StudyJob(
            name=f"benchmark-{folder.parent.name}-{folder.name}",
            command="run-benchmark",
            flags=(*flags, "--output-dir", str(folder)),
            marker=_marker(folder, "run-benchmark"),
            needs=(train.name,),
        )

    def _cells(self, varied: Mapping[str, Sequence[object]]) -> Iterator[StudyCell]:
        for values in product(*varied.values()):
            settings = dict(zip(varied, values, strict=True))
            implied = self._implied(settings)
            if implied is not None:
                for execution in self.config.executions:
                    yield StudyCell(settings=settings, execution=execution, implied=implied)

    def _implied(self, settings: Mapping[str, object]) -> Mapping[str, object] | None:
        """What else has to be set: a history of 1 for structures without one. None if the policy refuses them."""
        try:
            replace(self._model, **settings)
        except AmbidexError as error:
            if error.facts.get("field") == "history" and "history" not in settings:
                return {"history": 1}
            self.left_out[", ".join(f"{name} {_word(value)}" for name, value in settings.items())] = str(error)
            return None
        return {}


def _varied(config: DesignStudyConfig, model: Any) -> dict[str, Sequence[object]]:
    """Setting -> the values to compare, of the type that the policy's settings have."""
    given = {setting: getattr(config, flag) for flag, setting in NAMED.items()}
    given |= {"history": tuple(map(str, config.history)), "camera_attention": config.camera_attention}
    for text in config.vary:
        name, equals, values = text.partition("=")
        if not equals or not values:
            raise UsageError(f"--vary {text}: expected NAME=VALUE,VALUE.", field="vary", got=text)
        given[name.replace("-", "_")] = tuple(values.split(","))
    known = {field.name for field in fields(model)}
    chosen = {name: values for name, values in given.items() if values}
    for name in chosen:
        check_name(f"setting of {config.policy}", name, known)
    return {name: [_typed(name, word, getattr(model, name)) for word in words] for name, words in chosen.items()}


def _train_words(config: DesignStudyConfig) -> tuple[str, ...]:
    """Flags of train-policy for all cells."""
    return tuple(word for name, value in _train_flags(config) for word in (f"--{name}", *([value] if value else [])))


def _train_flags(config: DesignStudyConfig) -> list[tuple[str, str]]:
    parts = (text.partition("=") for text in config.train)
    return [(name, value) for name, _, value in parts]


def _typed(name: str, word: str, default: object) -> object:
    """A value as the setting's default has it."""
    if isinstance(default, bool):
        check_name(f"value of {name}", word, SWITCH)
        return SWITCH[word]
    try:
        return type(default)(word) if isinstance(default, int | float) else word
    except ValueError:
        problem = f"{name}: got {word!r}, expected a number like {default}."
        raise UsageError(problem, field=name, got=word) from None


def _flag(name: str, value: object) -> tuple[str, ...]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return (f"--{flag}" if value else f"--no-{flag}",)
    return (f"--{flag}", str(value))


def _word(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _marker(folder: Path, command: str) -> Path:
    return folder / COMMANDS[command][1]


def _check(config: DesignStudyConfig) -> None:
    for mode in config.executions:
        check_name("execution", mode, MODES)
    counts = {"trainings": config.trainings, "episodes": config.episodes, "data": len(config.data)}
    counts |= {"tasks": len(config.tasks), "executions": len(config.executions)}
    for name, count in {**counts, "minutes": 1 if config.minutes is None else config.minutes}.items():
        if count < 1:
            raise UsageError(f"--{name} {count}: expected 1 or more.", flag=f"--{name}", got=count)
