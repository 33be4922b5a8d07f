"""Records datasets: what `record-episodes` does, from Python."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from ambidex.atomic_files import replacing_folder
from ambidex.cluster.address import check_cluster
from ambidex.envs.registry import SUITES, canonical_task, mirrored_name, tasks_named
from ambidex.envs.shards import Shard
from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.errors import UsageError
from ambidex.flags import format_command
from ambidex.output_folder import exclusive_lock
from ambidex.recorders.dataset.files import remove_partial_files
from ambidex.recorders.dataset.layout import definition_task, task_folder
from ambidex.recorders.merging.merge import merge_into
from ambidex.recorders.recording.checks import TaskPlan, plan_task
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.resume import load_progress
from ambidex.recorders.recording.session import RecordingSession, RecordSummary
from ambidex.recorders.recording.shards import REMAINING, seeds_between, stored_seeds, with_shard_seeds
from ambidex.recorders.recording.worker import AgentFactory
from ambidex.scripted_policies.registry import make_expert


def record(config: RecordConfig, *, agent_factory: AgentFactory | None = None) -> tuple[RecordSummary, ...]:
    """Record the dataset of a task, or those of all tasks of a suite.

    Flags, folders and names of all tasks are checked before the first rollout.

    Args:
        config: What to record.
        agent_factory: Makes the agent for an environment; picklable. None for the task's expert.

    Returns:
        One summary per task, in the suite's order; not `complete` where the attempts ran out.

    Raises:
        UsageError: A name is unknown, a value out of range, a folder not empty, or more shards than attempts.
        RenderingError: Images are asked for, and there is no OpenGL.
        DatasetError: A file could not be written, or the first attempts all raised errors. What was recorded stays.
    """
    check_cluster(config.cluster, config.workers)
    shard = None if config.shard is None else str(Shard.parse(config.shard))
    named = replace(config, task=task_or_suite(config), bddl_file=None, mirrored=False, shard=shard)
    plans = [
        plan_task(replace(named, task=task), directory, expert=agent_factory is None)
        for task, directory in dataset_directories(named).items()
    ]
    return tuple(_record_task(plan, agent_factory or _expert_factory(plan.config)) for plan in with_shard_seeds(plans))


def task_or_suite(config: RecordConfig) -> str:
    """The task or suite that --task or --bddl-file names; its mirror image with --mirrored.

    Raises:
        UsageError: Both are given, or neither; or it has no mirror image.
    """
    if config.bddl_file is not None:
        if config.task:
            raise UsageError(f"--task {config.task} and --bddl-file {config.bddl_file}: use one of them.")
        return canonical_task(definition_task(config.bddl_file))
    if config.task:
        return mirrored_name(config.task) if config.mirrored else config.task
    problem = "No task is given."
    if config.resume:
        where = f"--output-dir {config.output_dir} is not a dataset" if config.output_dir else "no --output-dir"
        problem = f"No task is given, and {where}."
    raise UsageError(problem, "Name a task with --task; --list prints them all.", path=config.output_dir)


def dataset_directories(config: RecordConfig) -> dict[str, Path]:
    """Task -> folder of its dataset.

    Raises:
        UsageError: Neither a task nor a suite, or no shard.
    """
    tasks = tasks_named(config.task)
    ending = "" if config.shard is None else f"-{Shard.parse(config.shard).label}"
    if config.task in SUITES:
        root = config.output_dir or Path("data") / f"{config.task}{ending}"
        return {task: root / task_folder(task) for task in tasks}
    (task,) = tasks
    folder = task_folder(task) if task.endswith(SUFFIX) else task
    return {task: config.output_dir or Path("data") / f"{folder}{ending}"}


def resume_command(config: RecordConfig) -> str:
    """The command that resumes this recording."""
    return format_command("record-episodes", replace(config, resume=True, quiet=False, debug=False), brief=True)


def _expert_factory(config: RecordConfig) -> AgentFactory:
    return partial(make_expert, noise=config.noise)


def _record_task(plan: TaskPlan, agent_factory: AgentFactory) -> RecordSummary:
    attempted = stored_seeds(plan)
    if not attempted or plan.config.shard is not None:
        return _record_folder(plan, agent_factory)
    rest = _record_missing(replace(plan, seeds=attempted), agent_factory)
    summary = _record_folder(plan, agent_factory)
    return replace(summary, written=summary.written + rest.written, wall_s=summary.wall_s + rest.wall_s)


def _record_missing(merged: TaskPlan, agent_factory: AgentFactory) -> RecordSummary:
    """Attempt the seeds that merged shards lack, in a dataset of its own within theirs, then merge the two."""
    load_progress(merged)  # raises if it was recorded differently, before the first rollout
    directory = merged.directory
    rest = replace(merged, directory=directory / REMAINING, seeds=seeds_between(merged))
    summary = _record_folder(replace(rest, seeds=stored_seeds(rest) or rest.seeds), agent_factory)
    with exclusive_lock(directory), replacing_folder(directory.resolve()) as temporary:
        merge_into(temporary, [directory, rest.directory])
    return summary


def _record_folder(plan: TaskPlan, agent_factory: AgentFactory) -> RecordSummary:
    with exclusive_lock(plan.directory):
        remove_partial_files(plan.directory)
        session = RecordingSession(plan, *load_progress(plan), agent_factory)
        try:
            return session.run()
        except KeyboardInterrupt:
            counts = f"{session.stored} of {session.wanted} episodes"
            raise KeyboardInterrupt(f"{plan.config.task}: {counts} are stored in {plan.directory}.") from None
        finally:
            remove_partial_files(plan.directory)
