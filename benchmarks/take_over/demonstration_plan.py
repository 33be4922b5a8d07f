"""Which successful take-overs become episodes of which dataset, and what is checked before the first of them."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.take_over.failures import Failures
from ambidex.benchmarks.take_over.folder import step_results
from ambidex.benchmarks.take_over.plan import TakeOverPlan
from ambidex.envs.registry import FAMILIES
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec, TakenOver
from ambidex.errors import UsageError
from ambidex.output_folder import check_output_folder
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.layout import EpisodeFiles, WriteOptions, task_folder
from ambidex.recorders.formats.registry import format_named


@dataclass(frozen=True, kw_only=True)
class DemonstrationJob:
    """A successful take-over, and the files to write.

    Attributes:
        row: Its row.
        states: Its stored states and actions.
        taken_over: The failed episode that it continues.
        files: The files.
    """

    row: EpisodeRow
    states: Path
    taken_over: TakenOver
    files: EpisodeFiles


@dataclass(frozen=True, kw_only=True)
class DemonstrationPlan:
    """The dataset of one task.

    Attributes:
        take_overs: The take-overs, which are complete.
        directory: The dataset.
        spec: Its spec.
        options: How episode files are written.
        attempts: All take-overs of the task by seed and step; successes are numbered in this order.
        jobs: One for each success.
    """

    take_overs: TakeOverPlan
    directory: Path
    spec: EnvSpec
    options: WriteOptions
    attempts: tuple[Attempt, ...]
    jobs: tuple[DemonstrationJob, ...]


def check_demonstrations(plan: TakeOverPlan) -> None:
    """Check what --record-dataset asks for, before the first take-over.

    Raises:
        UsageError: The failures are of held-out seeds, a folder is not empty, or there is no such camera.
        RenderingError: Images are asked for, and no OpenGL library can be loaded.
    """
    held_out = [row.seed for row in plan.failures.rows if row.seed >= FIRST_BENCHMARK_SEED]
    if held_out:
        path = plan.failures.results.path
        problem = f"--record-dataset: {path} has episodes of seed {held_out[0]}, which is held out for benchmarks."
        hint = "Take over failures of training seeds: run-benchmark --training-seeds --seed 50000 ..."
        raise UsageError(problem, hint, path=path, got=held_out, expected=FIRST_BENCHMARK_SEED - 1)
    for task, directory in demonstration_folders(plan).items():
        check_output_folder(directory, DATASET_JSON, resume=plan.config.resume)
        cameras, size = plan.config.cameras, plan.config.image_size
        with plan.benchmark.task_settings.environment(task, cameras=cameras, image_size=size) as env:
            if env.spec.cameras:
                choose_backend()


def demonstration_folders(plan: TakeOverPlan) -> dict[str, Path]:
    """Task with failures -> folder of its dataset: that of --record-dataset, or of several tasks one in it."""
    root, tasks = Path(str(plan.config.record_dataset)), tuple(plan.failures.specs)
    return {task: root / task_folder(task) if len(tasks) > 1 else root for task in tasks}


def plan_demonstrations(plan: TakeOverPlan, task: str, directory: Path) -> DemonstrationPlan:
    """The dataset of one task, from its take-overs, of which none is missing."""
    steps = {step: results for step, results in step_results(plan.directory).items() if task in results.info.env_specs}
    spec = next(results.info.env_specs[task] for results in steps.values())
    family, config = FAMILIES[spec.family], plan.config
    file_format = format_named(family.format)
    files = DatasetFiles(directory, file_format, failures=False)
    rows = [(row, step) for step, results in steps.items() for row in results.rows if row.task == task]
    attempts: list[Attempt] = []
    jobs: list[DemonstrationJob] = []
    for row, step in sorted(rows, key=lambda each: (each[0].seed, each[1])):
        taken_over = _taken_over(plan.failures, row, step)
        attempt = _attempt(row, len(jobs) if row.success else None, taken_over)
        attempts.append(attempt)
        if (planned := files.planned(attempt)) is not None:
            states = steps[step].states_path(*row.key)
            jobs.append(DemonstrationJob(row=row, states=states, taken_over=taken_over, files=planned))
    return DemonstrationPlan(
        take_overs=plan,
        directory=directory,
        spec=replace(
            spec,
            cameras=family.cameras if config.cameras is None else config.cameras,
            image_size=config.image_size or family.image_size,
            render_quality="standard",
        ),
        options=WriteOptions(format=family.format, storage=file_format.default_storage),
        attempts=tuple(attempts),
        jobs=tuple(jobs),
    )


def _taken_over(failures: Failures, row: EpisodeRow, step: int) -> TakenOver:
    (failed,) = (each for each in failures.rows if each.key == row.key)
    return TakenOver(
        results=str(failures.results.path.resolve()),
        policy=failed.policy,
        policy_sha256=failures.results.info.fingerprint,
        step=step,
        initial_state_sha256=failed.initial_state_sha256,
    )


def _attempt(row: EpisodeRow, episode: int | None, taken_over: TakenOver) -> Attempt:
    return Attempt(
        seed=row.seed,
        outcome=row.outcome,
        stage=row.stage,
        stage_name=row.stage_name,
        reason=row.reason,
        steps=row.steps,
        episode=episode,
        wall_s=row.wall_s,
        perturbed=row.perturbed,
        taken_over=taken_over,
    )
