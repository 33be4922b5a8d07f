"""Loads the progress of an interrupted or complete recording, and checks that it can be resumed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ambidex.envs.env import make_from_spec
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import changed_flags
from ambidex.output_folder import check_output_folder, versions
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt, read_attempts
from ambidex.recorders.dataset.environment import check_fits, initial_state_difference
from ambidex.recorders.dataset.files import check_stored_episodes
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.formats.registry import DatasetFormat, format_named
from ambidex.recorders.recording.checks import TaskPlan
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig

MAY_GROW = frozenset({"num_episodes", "max_attempts"})
IN_SPEC = frozenset({"init_states", "instruction_source"})  # compared there


def load_progress(plan: TaskPlan) -> tuple[list[Attempt], bool]:
    """The attempts of earlier runs in the folder of a plan, which is locked, and whether they recorded everything.

    Raises:
        UsageError: The folder holds something else, or other flags were used; the message lists every difference.
        DatasetError: The folder or an episode in it is damaged.
    """
    directory = plan.directory
    # Checked before it was locked too, for early errors; another process may have recorded here since.
    check_output_folder(directory, DATASET_JSON, resume=plan.config.resume)
    if not (directory / DATASET_JSON).exists():
        return [], False
    info = DatasetInfo.read(directory)
    file_format = format_named(info.format)
    refuse_differences(directory, _differences(info, plan))
    check_stored_episodes(directory, file_format)
    refuse_differences(directory, _model_differences(file_format, plan))
    attempts = read_attempts(directory)
    check_attempts(directory, plan.seeds or range(plan.config.seed, plan.config.seed + len(attempts)), attempts)
    return attempts, info.complete


def _differences(info: DatasetInfo, plan: TaskPlan) -> list[str]:
    old, new = info.settings("record-episodes", RecordConfig), plan.config
    may_grow = frozenset() if new.shard else MAY_GROW  # the shards of more episodes have other seeds
    found = changed_flags(old, new, ignore=RUN_ONLY | may_grow | IN_SPEC)
    if may_grow and new.num_episodes < old.num_episodes:
        found.append(f"--num-episodes was {old.num_episodes}, now {new.num_episodes}: it may only grow")
    engine, now = info.versions.get("mujoco"), versions()["mujoco"]
    if engine != now:
        found.append(f"MuJoCo was {engine}, now {now}")
    return found or info.env_spec.differences(plan.spec)


def _model_differences(file_format: DatasetFormat, plan: TaskPlan) -> list[str]:
    first = file_format.find(plan.directory).get(0)
    if first is None:
        return []
    with file_format.open(first) as stored:
        if stored.model_sha256 != plan.model_sha256:
            return ["the model of robot, objects or scene has changed"]
        spec = replace(plan.spec, cameras=(), perturb=stored.spec.perturb)
        env = make_from_spec(spec, plan.config.bddl_file)
        check_fits(stored, env)
        return initial_state_difference(env, stored.episode.seed, stored.episode.states[0])


def refuse_differences(directory: Path, found: Sequence[str]) -> None:
    """Raise UsageError if there are differences between the earlier runs in a folder and this one."""
    if found:
        problem = f"--resume: {directory} was recorded differently: {'; '.join(found)}."
        hint = "Use the original flags and version of ambidex, or another --output-dir."
        raise UsageError(problem, hint, path=directory, differences=tuple(found))


def check_attempts(directory: Path, seeds: Sequence[int], attempts: Sequence[Attempt]) -> None:
    """Check that the rows of a dataset's attempts.jsonl are of the first of these seeds, and number its successes.

    Raises:
        DatasetError: They are not; the message names the row.
    """
    episode = 0
    for row, attempt in enumerate(attempts, start=1):
        seed = seeds[row - 1] if row <= len(seeds) else None
        expected = episode if attempt.outcome is Outcome.SUCCESS else None
        if (attempt.seed, attempt.episode) != (seed, expected):
            path, got = directory / ATTEMPTS, f"seed {attempt.seed}, episode {attempt.episode}"
            problem = f"{path}, row {row}: got {got}; expected seed {seed}, episode {expected}. The file was changed."
            raise DatasetError(problem, "Restore it, or record again into another folder.", path=path, row=row)
        episode += attempt.outcome is Outcome.SUCCESS
