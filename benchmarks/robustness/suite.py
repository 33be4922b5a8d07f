"""Runs a robustness benchmark: `run-benchmark --suite robustness`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from ambidex.benchmarks.evaluation.agents import BASELINES
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import NOT_STORED, SCRIPTED, BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import default_folder, flags_of_folder, make_plan
from ambidex.benchmarks.evaluation.policy_loading import LoadPolicy
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary
from ambidex.benchmarks.remote.flags import REMOTE
from ambidex.benchmarks.results.folder import ROBUSTNESS_JSON
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.robustness.amounts import WhereOpen, episodes_of_cells
from ambidex.benchmarks.robustness.folder import (
    EVENLY,
    WHERE_OPEN,
    Cell,
    RobustnessFolder,
    RobustnessInfo,
    cells_of,
)
from ambidex.benchmarks.robustness.libero_plus import EPISODES_AS, variants_suite
from ambidex.command_line import print_message
from ambidex.envs.perturbations.perturbation import LIBERO_PLUS
from ambidex.errors import AmbidexError, EpisodesFailedError, PerturbationError, UsageError, check_name
from ambidex.flags import changed_flags, flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.policies.registry import POLICIES
from ambidex.recorders.dataset.environment import stored_environment

SUITE = "robustness"
AMOUNT = frozenset({"episodes", "budget"})
"""Flags that may change when a benchmark is resumed."""
OF_TASK = "task instruction_source protocol init_states success horizon settle_steps seed spread dynamics".split()
"""Flags that the expert's runs have too."""
OF_SUITE_ONLY = ("suite", "axes", "levels", "budget", "spend")


def is_robustness(config: BenchmarkConfig) -> bool:
    """Whether the flags ask for a robustness benchmark, or to resume one."""
    if config.suite == SUITE:
        return True
    folder = config.output_dir
    return bool(config.resume and not config.policy and folder and (folder / ROBUSTNESS_JSON).is_file())


def run_robustness(config: BenchmarkConfig, *, load: LoadPolicy | None = None) -> RobustnessFolder:
    """Run the clean episodes, then the same seeds on every axis and level, each into a results folder of its own.

    The expert runs the perturbed episodes too where the start may be impossible: those that it does not solve are
    counted apart by the report. Axes that the task does not have or the policy cannot notice are left out, with the
    reason.

    Args:
        config: The flags of run-benchmark; `axes`, `levels`, and `episodes` or `budget` say how much to run.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Returns:
        The folder, of which `report-robustness` makes the report.

    Raises:
        UsageError: A flag is missing, unknown or impossible, or the results to resume were made with other settings.
        AmbidexError: As `benchmark`. Cells that are done are stored.
    """
    config = _with_stored_flags(config)
    _check(config)
    directory = config.output_dir or _default_folder(config)
    check_output_folder(directory, ROBUSTNESS_JSON, resume=config.resume)
    with exclusive_lock(directory):
        run = RobustnessRun(replace(config, output_dir=directory), RobustnessFolder(directory), load)
        try:
            run.run()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{run.done} Resume with: {run.folder.resume_command}") from None
    return run.folder


class RobustnessRun:
    """Runs the cells that a folder lacks.

    Attributes:
        folder: Where their results are.
    """

    def __init__(self, config: BenchmarkConfig, folder: RobustnessFolder, load: LoadPolicy | None) -> None:
        self._config, self.folder = config, folder
        self._load = _load_once(load) if config.policy in POLICIES else None
        self._finished = self._total = 0
        self._planned: Mapping[Cell, int] = {}  # episodes of each task

    @property
    def done(self) -> str:
        """How many cells are done, as a sentence."""
        return f"{self._finished} of {self._total or 'all'} cells are done, in {self.folder.path}."

    def run(self) -> None:
        """Run the clean cell, find out which axes there are, and run theirs."""
        self._run_first()
        cells = self.folder.cells
        left_out = [f"{name} ({reason})" for name, reason in self.folder.left_out.items()]
        if not cells:
            problem = f"There is nothing to run: {'; '.join(left_out)}."
            raise UsageError(problem, "Give other --axes.", got=self._config.axes)
        where_open = WhereOpen(self._config, self.folder, cells) if self._config.spend == WHERE_OPEN else None
        tasks = len(self.folder.results(Cell()).info.env_specs)
        self._plan(where_open.planned if where_open else episodes_of_cells(self._config, cells, tasks))
        running = [cell for cell, episodes in self._planned.items() if episodes]
        self._total = len(running)
        self._say_what_runs(running, left_out)
        for cell in running:
            said = self._try_cell(cell)
            self._finished += 1
            self._say(f"{self._finished}/{self._total} {cell}: {said}")
        if where_open:
            self._run_where_open(where_open)

    def _run_where_open(self, where_open: WhereOpen) -> None:
        while cell := where_open.extend():
            self._plan(where_open.planned)
            for each in (Cell(), cell):
                if not where_open.is_run(each):
                    said = self._try_cell(each)
                    self._say(f"{where_open.spent} of {self._config.budget} episodes, {each}: {said}")

    def _plan(self, episodes: Mapping[Cell, int]) -> None:
        self._planned = episodes
        self._write_info(self.folder.info.left_out)

    def _say(self, text: str) -> None:
        if not self._config.quiet:
            print_message(COMMAND, text)

    def _say_what_runs(self, cells: Sequence[Cell], left_out: Sequence[str]) -> None:
        of_expert = sum(map(self.folder.needs_expert, cells))
        expert = f" The expert runs {of_expert} of them too." if of_expert else ""
        checkpoint = self.folder.results(Cell()).info.checkpoint
        policy = f" The checkpoint is {checkpoint.path}." if checkpoint else ""
        counts = sorted({self._planned[cell] for cell in cells})
        text = f"{counts[0]} to {counts[-1]}" if counts[1:] else str(counts[0])
        self._say(f"{self._total} cells of {text} episodes per task.{expert}{policy}")
        if left_out:
            self._say(f"Left out: {'; '.join(left_out)}.")

    def _run_first(self) -> None:
        """Run clean episodes, in whose environments it is known which axes there are; with a budget only one."""
        planned = 1 if self._config.budget else episodes_of_cells(self._config, cells_of(self._config), 1)[Cell()]
        first = self._cell_config(Cell(), planned)
        make_plan(first)
        if not (self.folder.path / ROBUSTNESS_JSON).exists():
            self._write_info({})
        try:
            benchmark(first, load=self._load)
        except AmbidexError:
            if not self.folder.results(Cell()).rows:  # nothing to resume: the flags may have been wrong
                (self.folder.path / ROBUSTNESS_JSON).unlink()
            raise
        self._write_info(self._impossible())

    def _try_cell(self, cell: Cell) -> str:
        """Run the planned episodes of a cell; returns what came of it."""
        try:
            return _rate(self._run_cell(cell, self._planned[cell]))
        except PerturbationError as error:  # what only the policy knows, such as that it takes no other instruction
            self._write_info({**self.folder.info.left_out, str(cell): error.problem})
            return f"left out: {error.problem}"
        except EpisodesFailedError as error:  # of this axis; others may be possible
            return f"stopped: {error.problem}"

    def _run_cell(self, cell: Cell, episodes: int) -> BenchmarkSummary:
        config = self._cell_config(cell, episodes)
        summary = benchmark(config, load=self._load)
        if self.folder.needs_expert(cell):
            spec = next(iter(summary.info.env_specs.values()))
            common = ("perturb", "episodes", "video", "workers", "cluster", "resume", "quiet", "debug")
            kept = {name: getattr(config, name) for name in (*OF_TASK, *common)}
            place = self.folder.expert_results(cell).path
            benchmark(BenchmarkConfig(policy=SCRIPTED, control=spec.control, output_dir=place, **kept))
        return summary

    def _cell_config(self, cell: Cell, episodes: int) -> BenchmarkConfig:
        """The flags of one cell. All have the checkpoint of the clean one, also if a training saves a newer one."""
        results, clean, nothing = self.folder.results(cell), self.folder.results(Cell()), BenchmarkConfig()
        checkpoint = clean.info.checkpoint if clean.exists else None
        return replace(
            self._config,
            **{name: getattr(nothing, name) for name in OF_SUITE_ONLY},
            checkpoint=Path(checkpoint.path) if checkpoint else self._config.checkpoint,
            protocol=EPISODES_AS if self._config.protocol == LIBERO_PLUS else self._config.protocol,
            perturb=cell.words,
            episodes=max(episodes, results.requested_each or 0) if results.exists else episodes,
            video=self._config.video or "none",
            output_dir=results.path,
            resume=True,
            quiet=True,
        )

    def _impossible(self) -> dict[str, str]:
        """Axis with its level -> why it is left out, by the environments and first requests of the clean episodes."""
        results, found = self.folder.results(Cell()), dict[str, str]()
        words = [str(cell) for cell in cells_of(self._config)]
        of_own_code = self._config.policy not in {*POLICIES, *BASELINES, REMOTE}
        for spec in results.info.env_specs.values():
            sent = {text for row in results.rows if row.task == spec.task for text in row.first_request.values()}
            cameras = None if of_own_code else spec.cameras
            with stored_environment(spec, results.path) as env:
                found |= env.impossible_perturbations(words, cameras, instruction=spec.instruction in sent)
        return found

    @property
    def _own_numbers(self) -> dict[str, int]:
        """Cell -> episodes of each task, where cells have different numbers."""
        differ = self._config.protocol == LIBERO_PLUS or self._config.spend == WHERE_OPEN
        return {str(cell): episodes for cell, episodes in self._planned.items()} if differ else {}

    def _write_info(self, left_out: Mapping[str, str]) -> None:
        RobustnessInfo(
            command=format_command(COMMAND, self._config, leave_out=NOT_STORED),
            config=flags_to_json(self._config, leave_out=NOT_STORED),
            versions=versions(),
            left_out=left_out,
            episodes=self._own_numbers,
        ).write(self.folder.path)
        self.folder.__dict__.pop("info", None)


def _rate(summary: BenchmarkSummary) -> str:
    return f"{sum(row.success for row in summary.rows)}/{len(summary.rows)}"


def _with_stored_flags(config: BenchmarkConfig) -> BenchmarkConfig:
    """With --resume the flags of the folder, or a UsageError if others are given."""
    folder = config.output_dir
    if not config.resume or folder is None or not (folder / ROBUSTNESS_JSON).is_file():
        return config
    stored = RobustnessFolder(folder).config
    if not config.policy:
        return flags_of_folder(config, folder, stored, AMOUNT)
    if changed := changed_flags(stored, replace(config, output_dir=None), ignore=NOT_STORED | AMOUNT):
        problem = f"--resume: the results in {folder} were made with other settings: {'; '.join(changed)}."
        raise UsageError(problem, "Give the original flags, or another --output-dir.", path=folder, got=changed)
    return config


def _check(config: BenchmarkConfig) -> None:
    if config.check:
        raise UsageError(f"--check does not go with --suite {SUITE}.", "Give it without the suite.", field="check")
    if config.shard is not None:
        problem = f"--shard {config.shard} does not go with --suite {SUITE}, whose cells depend on the clean episodes."
        raise UsageError(problem, "Run cells in shards instead: --perturb AXIS:LEVEL --shard I/N.", field="shard")
    if config.task is None:
        problem = f"--suite {SUITE} needs a --task, also for a definition: --task FILE.bddl."
        raise UsageError(problem, "For example --task transfer_cube, or --task libero_goal for all its tasks.")
    if config.perturb:
        problem = (
            f"--perturb {' '.join(config.perturb)} does not go with --suite {SUITE}, which has all axes and levels."
        )
        raise UsageError(problem, "Choose some with --axes and --levels.", got=config.perturb)
    if config.episodes is not None and config.budget is not None:
        problem = (
            f"--episodes {config.episodes} (of each cell) and --budget {config.budget} (of all) exclude each other."
        )
        raise UsageError(problem, "Give one of them.", field="budget")
    for name in ("episodes", "budget"):
        if (got := getattr(config, name)) is not None and got < 1:
            raise UsageError(f"--{name} {got}: expected 1 or more.", field=name, got=got)
    check_name("way to spend a budget, --spend", config.spend, (EVENLY, WHERE_OPEN))
    if config.spend == WHERE_OPEN and (config.budget is None or config.protocol == LIBERO_PLUS):
        problem = f"--spend {WHERE_OPEN} needs a --budget, and does not go with --protocol {LIBERO_PLUS}."
        raise UsageError(problem, "Add --budget N, or leave --spend out.", field="spend", got=config.spend)
    if config.protocol == LIBERO_PLUS:
        variants_suite(config.task)
    cells_of(config)


def _default_folder(config: BenchmarkConfig) -> Path:
    folder = default_folder(replace(config, suite=None))
    return folder.with_name(f"{folder.name}-{SUITE}")


def _load_once(load: LoadPolicy | None) -> LoadPolicy:
    """Loads each checkpoint once, for all cells."""
    from ambidex.policies import checkpoint  # heavy

    return cache(load or checkpoint.load)
