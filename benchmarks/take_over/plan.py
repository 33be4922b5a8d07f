"""Checks the flags of take-overs, and plans one benchmark for each step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ambidex.benchmarks.evaluation.config import BenchmarkConfig, PolicyFlags
from ambidex.benchmarks.evaluation.own_policy import is_address, load_own
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan, make_plan
from ambidex.benchmarks.evaluation.policy_loading import checkpoint_id
from ambidex.benchmarks.remote.flags import REMOTE
from ambidex.benchmarks.results.info import TakeOverStep
from ambidex.benchmarks.take_over.failures import Failures, all_steps
from ambidex.benchmarks.take_over.folder import step_folder
from ambidex.envs.env import Environment
from ambidex.envs.perturbations.registry import OBSTACLES, only
from ambidex.errors import UsageError
from ambidex.flags import changed_flags

EVERY = 25
MORE_STEPS = 1.5  # of the horizon: the expert first returns to its home posture, which takes up to 3 s
TASK_FLAGS = (
    *("suite", "bddl_file", "instruction_source", "protocol", "init_states", "success", "horizon", "settle_steps"),
    *("episodes", "seed", "training_seeds", "spread", "dynamics", "perturb", "shard", "check"),
)
HOW_AN_AGENT_RUNS = {"checkpoint", "device", "timeout"}  # a checkpoint is compared by its weights
NOT_OF_AGENT = frozenset({field.name for field in fields(BenchmarkConfig)}) - (
    {field.name for field in fields(PolicyFlags)} - HOW_AN_AGENT_RUNS
)
"""Flags that do not choose the agent."""


@dataclass(frozen=True, kw_only=True)
class TakeOverPlan:
    """Checked flags, and what follows from them.

    Attributes:
        config: The flags with all defaults.
        failures: What is taken over.
        directory: The folder with a results folder for each step.
        benchmark: The plan of a benchmark with these tasks and this policy.
    """

    config: BenchmarkConfig
    failures: Failures
    directory: Path
    benchmark: BenchmarkPlan

    @property
    def every(self) -> int:
        """Control steps between take-overs."""
        return self.config.every or EVERY

    def steps(self) -> Iterator[BenchmarkPlan]:
        """The benchmark of each step: every failure that is long enough, taken over there."""
        for step in all_steps(self.failures.episodes, self.every):
            keys = tuple(failure.key for failure in self.failures.episodes if step in failure.steps(self.every))
            start = TakeOverStep(
                source=str(self.failures.results.path.resolve()),
                failures_sha256=self.failures.sha256,
                step=step,
                episodes=len(keys),
            )
            tasks = tuple(task for task in self.benchmark.tasks if task in {task for task, _ in keys})
            directory = step_folder(self.directory, step)
            yield replace(self.benchmark, directory=directory, tasks=tasks, take_over=start, failures=keys)

    def check_models(self) -> None:
        """Raise a UsageError if the states of a task are of another version of its scene."""
        for task in self.benchmark.tasks:
            env = self.benchmark.task_settings.environment(task)
            _check_model(self.failures, env)
            env.close()


def plan_take_over(config: BenchmarkConfig) -> TakeOverPlan | None:
    """Check the flags and fill in their defaults; None if there are no failures.

    Raises:
        UsageError: A flag is unknown, out of range or not for take-overs, or the same policy failed.
        DatasetError: RESULTS, or the take-overs to resume, are damaged.
    """
    _check_flags(config)
    failures = Failures.of(Path(str(config.take_over)), config.task)
    if not failures.rows:
        return None
    directory = config.output_dir or _default_folder(config, failures)
    config = replace(config, output_dir=directory, every=config.every or EVERY, video=config.video or "none")
    plan = replace(make_plan(_benchmark_config(config, failures)), as_given=config)
    _check_other_agent(plan, failures)
    return TakeOverPlan(config=config, failures=failures, directory=directory, benchmark=plan)


def _check_flags(config: BenchmarkConfig) -> None:
    if flags := config.given(TASK_FLAGS):
        problem = f"{', '.join(flags)}: not with --take-over, whose episodes are those that failed in RESULTS."
        hint = "Leave it out. After a take-over the limit of steps is --take-over-steps."
        raise UsageError(problem, hint, got=flags)
    if config.cluster is not None:
        problem = f"--cluster {config.cluster} does not go with --take-over: its workers read the states of RESULTS."
        raise UsageError(problem, "Leave --cluster out.", field="cluster", got=config.cluster)
    for name in ("every", "take_over_steps"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} {value}: expected 1 or more.", got=value)
    if config.cameras is not None and config.record_dataset is None:
        raise UsageError("--cameras: only with --record-dataset DIR.", got=config.cameras)


def _benchmark_config(config: BenchmarkConfig, failures: Failures) -> BenchmarkConfig:
    """The flags of a benchmark with the tasks and settings of the failures, and the policy that takes over."""
    specs = failures.specs
    spec, several = next(iter(specs.values())), len(specs) > 1
    source = failures.results.config
    steps = config.take_over_steps or round(MORE_STEPS * max(each.horizon for each in specs.values()))
    return replace(
        config,
        take_over=None,
        every=None,
        take_over_steps=None,
        record_dataset=None,
        cameras=None,
        image_size=config.image_size if config.policy == REMOTE or config.record_dataset is None else None,
        task=(source.task if source else None) if several else spec.task,
        suite=source.suite if several and source else None,
        success=spec.success,
        horizon=steps,
        settle_steps=0,
        spread=spec.spread,
        dynamics=spec.dynamics,
        perturb=spec.perturb,
        init_states=source.init_states if source and only(spec.perturb, OBSTACLES) else None,  # they stand around them
        instruction_source=spec.instruction_source,
        episodes=len(failures.rows),
    )


def _check_other_agent(plan: BenchmarkPlan, failures: Failures) -> None:
    """Refuse the policy that failed: it would repeat what it did. If it was perturbed, it is another one."""
    source = failures.results.config
    if source is None or plan.config.perturb or changed_flags(source, plan.config, ignore=NOT_OF_AGENT):
        return
    if fingerprint(plan) not in ("", failures.results.info.fingerprint):
        return
    problem = f"--policy {plan.config.policy}: the same policy failed in {failures.results.path}."
    raise UsageError(problem, "Give another policy or checkpoint, such as --policy scripted.", got=plan.config.policy)


def fingerprint(plan: BenchmarkPlan) -> str:
    """SHA-256 of the weights or the code of a policy; empty for a baseline, and for a server."""
    if plan.learned and plan.config.checkpoint:
        return checkpoint_id(plan.config.checkpoint).sha256
    return load_own(plan.config.policy).info.sha256 if is_address(plan.config.policy) else ""


def _check_model(failures: Failures, env: Environment) -> None:
    model, path = env.scene.model_sha256, failures.results.path
    rows = [row for row in failures.rows if row.task == env.spec.task]
    if any(row.model_sha256 not in ("", model) for row in rows):
        problem = f"--take-over {path}: the states of {env.spec.task} are of another version of its scene."
        raise UsageError(problem, "Run that benchmark again, or use the version of ambidex that ran it.", path=path)


def _default_folder(config: BenchmarkConfig, failures: Failures) -> Path:
    policy = re.sub(r"[^\w.+-]+", "-", config.policy_name or config.policy)
    return Path("results") / f"{policy}-takes-over-{failures.results.path.resolve().name}"
