"""Records datasets: what `record-episodes` does, from Python."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from ambidex.envs.env import make_from_spec
from ambidex.envs.registry import SUITES, canonical_task, tasks_named
from ambidex.envs.tasks.libero.suites import SUFFIX, is_libero_name
from ambidex.errors import UnknownNameError, UsageError
from ambidex.flags import format_command
from ambidex.output_folder import check_output_folder, exclusive_lock
from ambidex.recorders.dataset.environment import own_definition
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.layout import definition_name, task_folder
from ambidex.recorders.dataset.output_folder import clean
from ambidex.recorders.recording.checks import resolved
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.resume import Past, read_past
from ambidex.recorders.recording.session import Recording, RecordSummary
from ambidex.recorders.recording.worker import AgentFactory
from ambidex.scripted_policies.registry import EXPERTS, make_expert


def record(config: RecordConfig, agent_factory: AgentFactory | None = None) -> tuple[RecordSummary, ...]:
    """Record the dataset of a task, or those of all tasks of a suite.

    Everything that can be checked is checked before the first rollout.

    Args:
        config: What to record.
        agent_factory: Makes the agent that acts, from its environment; picklable. None for the task's expert.

    Returns:
        One summary per task, in the suite's order; not `complete` where the attempts ran out.

    Raises:
        UsageError: Something that is asked for does not exist or cannot be.
        RenderingError: Pixels are asked for, and there is no OpenGL.
        DatasetError: A file could not be written, or every attempt breaks. What was recorded stays.
    """
    wanted = replace(config, task=task_name(config), bddl_file=None)
    expert = agent_factory is None
    plans = [(resolved(wanted, task, expert=expert), folder) for task, folder in folders(wanted).items()]
    for plan, folder in plans:
        if expert and not _has_expert(plan.task):
            raise UnknownNameError("expert", plan.task, EXPERTS)
        check_output_folder(folder, DATASET_JSON, resume=config.resume)
    return tuple(_record_task(plan, folder, agent_factory or _expert(plan)) for plan, folder in plans)


def task_name(config: RecordConfig) -> str:
    """The task or suite that --task or --bddl-file names.

    Raises:
        UsageError: Both are given, or neither.
    """
    if config.bddl_file is None:
        if not config.task:
            folder = f"; {config.output_dir} is none" if config.output_dir else ""
            hint = f" With --resume it may be left out if --output-dir is a dataset{folder}." if config.resume else ""
            raise UsageError(f"No task is given. Name one with --task; --list shows what there is.{hint}")
        return config.task
    if config.task:
        raise UsageError(f"--task {config.task} and --bddl-file {config.bddl_file}: give one of them.")
    return canonical_task(definition_name(config.bddl_file))


def folders(config: RecordConfig) -> dict[str, Path]:
    """Task -> folder of its dataset.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    tasks = tasks_named(config.task)
    if config.task in SUITES:
        root = config.output_dir or Path("data") / config.task
        return {task: root / task_folder(task) for task in tasks}
    (task,) = tasks
    return {task: config.output_dir or Path("data") / (task_folder(task) if task.endswith(SUFFIX) else task)}


def resume_command(config: RecordConfig) -> str:
    """The command that goes on with this recording."""
    shown = replace(config, resume=True, quiet=False, debug=False)
    return format_command("record-episodes", shown, brief=True)


def _has_expert(task: str) -> bool:
    """LIBERO's tasks share one, which plans from the goal."""
    return task in EXPERTS or is_libero_name(task)


def _expert(config: RecordConfig) -> AgentFactory:
    return partial(make_expert, noise=config.noise)


def _record_task(config: RecordConfig, directory: Path, agent_factory: AgentFactory) -> RecordSummary:
    with exclusive_lock(directory):
        clean(directory)
        check_output_folder(directory, DATASET_JSON, resume=config.resume)
        env = make_from_spec(config)
        past = read_past(directory, config, env.spec, env.scene.model_sha256) if config.resume else Past()
        recording = Recording(config, directory, env.spec, past, agent_factory, own_definition(env))
        try:
            return recording.run()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"{config.task}: {recording.kept} of {config.num_episodes} episodes are kept in {directory}."
            ) from None
        finally:
            clean(directory)
