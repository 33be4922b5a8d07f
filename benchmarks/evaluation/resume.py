"""Is a results folder one to go on with?"""

from ambidex.benchmarks.evaluation.config import RUN_ONLY, BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import COMMAND, BenchmarkPlan
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.errors import UsageError
from ambidex.flags import changed_flags

# May grow; by its weights; as it was resolved; by what is in the files.
COMPARED_APART = frozenset({"episodes", "checkpoint", "device", "init_states"})
DECISIVE_VERSIONS = ("mujoco", "torch")


def check_flags(plan: BenchmarkPlan) -> None:
    """Refuse to go on with a folder under other flags; a folder without results is fine.

    Raises:
        UsageError: With the list of changed_flags.
        DatasetError: benchmark.json is damaged.
    """
    if not (plan.directory / BENCHMARK_JSON).exists():
        return
    info = BenchmarkInfo.read(plan.directory)
    old = info.settings(COMMAND, BenchmarkConfig)
    found = changed_flags(old, plan.config, ignore=RUN_ONLY | COMPARED_APART)
    if (plan.config.episodes or 0) < (old.episodes or 0):
        found.append(f"--episodes was {old.episodes}, now {plan.config.episodes}: it may only grow")
    _refuse(plan, found + _other_starts(plan, info))


def check_same(plan: BenchmarkPlan, new: BenchmarkInfo) -> None:
    """Refuse to go on with a folder of another checkpoint, device, version or environment.

    Raises:
        UsageError: With the list of changed_flags.
        DatasetError: benchmark.json is damaged.
    """
    if (plan.directory / BENCHMARK_JSON).exists():
        _refuse(plan, _info_differences(BenchmarkInfo.read(plan.directory), new))


def _other_starts(plan: BenchmarkPlan, old: BenchmarkInfo) -> list[str]:
    """Told by what is in the files; here, so that it is told even if no episode is left to run."""
    found = []
    for task, spec in old.env_specs.items():
        then, now = spec.init_states_sha256, plan.starts_sha256.get(task, "")
        known = then or not spec.init_states  # older versions wrote no fingerprint
        if task in plan.tasks and known and then != now:
            found.append(f"--init-states of {task} had the SHA-256 {then or 'of no file'}, now {now or 'of no file'}")
    return found


def _info_differences(old: BenchmarkInfo, new: BenchmarkInfo) -> list[str]:
    found = [
        f"{name} was {old.versions[name]}, now {new.versions.get(name)}"
        for name in DECISIVE_VERSIONS
        if name in old.versions and old.versions[name] != new.versions.get(name)
    ]
    if old.checkpoint and new.checkpoint and old.checkpoint.sha256 != new.checkpoint.sha256:
        found.append(f"--checkpoint {new.checkpoint.path} holds other weights than {old.checkpoint.path} did then")
    if old.serving and new.serving and old.serving.device != new.serving.device:
        found.append(f"--device was {old.serving.device}, now {new.serving.device}")
    elif old.serving and new.serving and old.serving.lanes != new.serving.lanes:
        found.append(f"rows of a forward pass were {old.serving.lanes}, now {new.serving.lanes} (another GPU?)")
    if old.execution != new.execution:
        found.append(f"chunks were played {old.execution}, now {new.execution}")
    for task in sorted(set(old.env_specs) & set(new.env_specs)):
        found += [f"{task}: {line}" for line in old.env_specs[task].differences(new.env_specs[task])]
    return found


def _refuse(plan: BenchmarkPlan, found: list[str]) -> None:
    if found:
        raise UsageError(
            f"--resume: the results in {plan.directory} were made differently: {'; '.join(found)}. Give the same flags "
            "as then, or another --output-dir."
        )
