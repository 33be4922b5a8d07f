"""Everything about a benchmark that can be wrong before anything is started."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.benchmarks.rollout_videos import CHOICES
from ambidex.benchmarks.running.agent_source import BASELINES
from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.running.benchmark_worker import EpisodeJob
from ambidex.envs.env import SPREADS
from ambidex.envs.errors import UnknownNameError, UsageError
from ambidex.envs.opengl import choose_backend
from ambidex.envs.registry import SUITES, TASKS, tasks_named
from ambidex.envs.seeds import FIRST_BENCHMARK_SEED
from ambidex.policies.execution import MODES
from ambidex.policies.registry import POLICIES
from ambidex.policies.training.run_folder import find_checkpoint, newest_run
from ambidex.recorders.command_text import to_text

COMMAND = "run-benchmark"


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """A checked config.

    Attributes:
        config: As given, with the folder of the checkpoint if a learned policy acts.
        tasks: The tasks, in order.
        directory: The results folder.
    """

    config: BenchmarkConfig
    tasks: tuple[str, ...]
    directory: Path

    @property
    def learned(self) -> bool:
        """A checkpoint acts."""
        return self.config.policy not in BASELINES

    def jobs(self) -> list[EpisodeJob]:
        """All episodes, in order."""
        first, count = self.config.seed, self.config.episodes
        return [EpisodeJob(task=task, seed=seed) for task in self.tasks for seed in range(first, first + count)]

    @property
    def resume_command(self) -> str:
        """The command that goes on with this benchmark."""
        return to_text(COMMAND, replace(self.config, resume=True, quiet=False, debug=False), brief=True)


def make_plan(config: BenchmarkConfig) -> BenchmarkPlan:
    """Check a config.

    Raises:
        UsageError: Something is missing, unknown, or out of range; also if there is no checkpoint.
        RenderingError: Videos are asked for, and no OpenGL library can be loaded.
    """
    for kind, name, known in (
        ("execution", config.execution, MODES),
        ("choice for --video", config.video, CHOICES),
        ("spread", config.spread, SPREADS),
    ):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    _check_policy(config)
    _check_numbers(config)
    tasks, directory = _tasks(config), config.output_dir or _folder(config)
    if config.video != "none":
        choose_backend()
    if config.policy not in BASELINES:
        config = replace(config, checkpoint=find_checkpoint(config.checkpoint or newest_run(config.policy)))
    return BenchmarkPlan(config=config, tasks=tasks, directory=directory)


def _check_policy(config: BenchmarkConfig) -> None:
    known = (*POLICIES, *BASELINES)
    if not config.policy:
        raise UsageError(f"No policy is given. Name one with --policy: {', '.join(known)}.")
    if config.policy not in known:
        raise UnknownNameError("policy", config.policy, known)
    given = {"--checkpoint": config.checkpoint, "--execute-steps": config.execute_steps, "--device": config.device}
    flags = [flag for flag, value in given.items() if value is not None]
    if config.policy in BASELINES and (flags or config.execution != "chunk"):
        what = ", ".join([*flags, *(["--execution"] if config.execution != "chunk" else [])])
        raise UsageError(
            f"{what}: only for learned policies; {config.policy} has no checkpoint and predicts no chunks."
        )


def _check_numbers(config: BenchmarkConfig) -> None:
    if config.episodes < 1:
        raise UsageError(f"--episodes {config.episodes}: expected 1 or more.")
    if config.seed < FIRST_BENCHMARK_SEED:
        raise UsageError(
            f"--seed {config.seed} is a training seed. Benchmarks begin at {FIRST_BENCHMARK_SEED} or later, so that "
            "no policy is tested on a start it was trained on."
        )
    if config.workers is not None and config.workers < 0:
        raise UsageError(f"--workers {config.workers}: expected 1 or more, or 0 to work in this process.")


def _tasks(config: BenchmarkConfig) -> tuple[str, ...]:
    if (config.task is None) == (config.suite is None):
        raise UsageError(
            f"Give either --task or --suite. Tasks: {', '.join(sorted(TASKS))}. Suites: {', '.join(sorted(SUITES))}."
        )
    if config.task is not None:
        return tasks_named(config.task)
    suite = str(config.suite)
    if suite not in SUITES:
        raise UnknownNameError("suite", suite, SUITES)
    return SUITES[suite]


def _folder(config: BenchmarkConfig) -> Path:
    name = f"{config.policy}-{(config.task or config.suite or '').replace('/', '-')}"
    if config.execution != "chunk":
        name += f"-{config.execution}"
    elif config.execute_steps is not None:
        name += f"-chunk{config.execute_steps}"
    if config.spread != "published":
        name += f"-{config.spread}"
    return Path("results") / name
