"""Checks that a benchmark can be resumed: the same flags, weights, versions and environments as before."""

from collections.abc import Sequence
from dataclasses import replace

from ambidex.benchmarks.evaluation.config import RUN_ONLY, BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, BenchmarkInfo, TakeOverStep
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.envs.env import make_from_spec
from ambidex.envs.types import Outcome
from ambidex.errors import UsageError
from ambidex.flags import changed_flags
from ambidex.recorders.dataset.environment import initial_state_difference, stored_definition
from ambidex.text import Describe, was_now

# "episodes" may grow; the others are compared by content, not by name.
COMPARED_SEPARATELY = frozenset({"episodes", "checkpoint", "device", "init_states"})
DECISIVE_VERSIONS = ("mujoco", "torch")


def check_flags(plan: BenchmarkPlan, results: ResultsFolder) -> None:
    """Raise a UsageError that lists how flags and initial states differ from those of the folder; none if it is new."""
    if not results.exists:
        return
    old = results.info.settings(COMMAND, BenchmarkConfig)
    found = changed_flags(old, plan.config, ignore=RUN_ONLY | COMPARED_SEPARATELY)
    if (plan.config.episodes or 0) < (old.episodes or 0):
        found.append(f"--episodes was {old.episodes}, now {plan.config.episodes}: it may only grow")
    elif plan.config.shard and plan.config.episodes != old.episodes:  # shards of more episodes overlap with these
        found.append(f"--episodes was {old.episodes}, now {plan.config.episodes}: not in a shard, only after merging")
    if (before := results.info.take_over) != plan.take_over:
        found.append(f"the episodes started {_starts(before)}, now {_starts(plan.take_over)}")
    raise_if(found + _init_states_differences(plan, results.info), results)


def check_info(results: ResultsFolder, new: BenchmarkInfo) -> None:
    """Raise a UsageError that lists how checkpoint, device, versions and environments differ from the folder's."""
    if results.exists:
        raise_if(info_differences(results.info, new) or _scene_differences(results, new), results)


def _starts(take_over: TakeOverStep | None) -> str:
    if take_over is None:
        return "from initial states"
    failures = f"{take_over.episodes} failures of {take_over.source} ({take_over.failures_sha256[:12]})"
    return f"from step {take_over.step} of {failures}"


def _init_states_differences(plan: BenchmarkPlan, old: BenchmarkInfo) -> list[str]:
    """Compares the content of files; part of `check_flags`, so that it is checked even if no episode is left to run."""
    found = []
    for task, spec in old.env_specs.items():
        before, now = spec.init_states_sha256, plan.init_states_sha256.get(task, "")
        known = before or not spec.init_states  # older versions stored no SHA-256
        if task in plan.tasks and known and before != now:
            found.append(f"--init-states of {task} had the SHA-256 {before or 'of no file'}, now {now or 'of no file'}")
    return found


def policy_differences(old: BenchmarkInfo, new: BenchmarkInfo) -> list[str]:
    """How weights, server or code of the policy differ, one line each."""
    found = []
    if old.checkpoint and new.checkpoint and old.checkpoint.sha256 != new.checkpoint.sha256:
        found.append(f"--checkpoint {new.checkpoint.path} has other weights than {old.checkpoint.path} had")
    if old.remote and new.remote and old.remote.sha256 != new.remote.sha256:
        found.append("another policy answers: the metadata of its server or --policy-name have changed")
    if old.source and new.source and old.source.sha256 != new.source.sha256:
        found.append(f"the code of {new.source.module}:{new.source.qualified_name}, or of its module, has changed")
    return found


def info_differences(old: BenchmarkInfo, new: BenchmarkInfo) -> list[str]:
    """How weights, code, device, decisive versions and environments differ, one line each."""
    return policy_differences(old, new) + setup_differences(old, new, DECISIVE_VERSIONS)


def setup_differences(
    old: BenchmarkInfo, new: BenchmarkInfo, packages: Sequence[str], describe: Describe = was_now
) -> list[str]:
    """How device, execution, versions of these packages and environments differ, one line each."""
    found = [
        describe(name, old.versions[name], new.versions.get(name))
        for name in packages
        if name in old.versions and old.versions[name] != new.versions.get(name)
    ]
    if old.serving and new.serving and old.serving.device != new.serving.device:
        found.append(describe("--device", old.serving.device, new.serving.device))
    elif old.serving and new.serving and old.serving.lanes != new.serving.lanes:
        found.append(describe("the number of batch slots (another GPU?)", old.serving.lanes, new.serving.lanes))
    if old.execution != new.execution:
        found.append(describe("the execution", old.execution, new.execution))
    for task in sorted(set(old.env_specs) & set(new.env_specs)):
        found += [f"{task}: {line}" for line in old.env_specs[task].differences(new.env_specs[task])]
    return found


def _scene_differences(results: ResultsFolder, new: BenchmarkInfo) -> list[str]:
    """Compares model and initial state of one stored episode of each task; returns the first difference."""
    for task, row in {row.task: row for row in results.rows if row.outcome is not Outcome.ERROR}.items():
        path = results.states_path(task, row.seed)
        if path.exists() and task in new.env_specs:
            spec = new.env_specs[task]
            env = make_from_spec(replace(spec, cameras=()), stored_definition(spec, path))
            if row.model_sha256 not in ("", env.scene.model_sha256):
                return [f"{task}: the model of robot, objects or scene has changed"]
            if results.info.take_over:  # not the initial state of the seed
                continue
            found = initial_state_difference(env, row.seed, EpisodeStates.read(path).states[0])
            if found:
                return found
    return []


def raise_if(found: list[str], results: ResultsFolder) -> None:
    """Raise a UsageError that lists the differences, if there are any."""
    if found:
        problem = f"--resume: the results in {results.path} were made with other settings: {'; '.join(found)}."
        hint = "Give the original flags and use the original version of ambidex, or give another --output-dir."
        raise UsageError(problem, hint, path=results.path, got=found)
