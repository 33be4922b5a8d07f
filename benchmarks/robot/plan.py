"""Checks the flags of `evaluate-robot` and fills in their defaults, before anything moves."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from ambidex.benchmarks.evaluation.own_policy import import_code, is_address
from ambidex.benchmarks.evaluation.plan import check_policy, with_checkpoint, with_stored_checkpoint
from ambidex.benchmarks.remote.flags import REMOTE, check_policy_flags
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robot.config import COMMAND, RobotConfig
from ambidex.benchmarks.robot.connection import RobotFactory
from ambidex.benchmarks.robot.protocol import UNSEEN, RobotRequest
from ambidex.benchmarks.videos.make import VIDEO_CHOICES
from ambidex.envs.registry import find_task, is_registered
from ambidex.envs.task import FILENAME
from ambidex.envs.tasks.libero.suites import is_libero_name
from ambidex.envs.types import FIRST_BENCHMARK_SEED, EnvSpec
from ambidex.errors import DatasetError, UsageError, check_name
from ambidex.flags import changed_flags, format_command
from ambidex.policies.registry import POLICIES
from ambidex.policies.serving.execution import MODES
from ambidex.recorders.dataset.layout import task_folder

HOLD = "hold"
ASK, ROBOT = "ask", "robot"
SESSION_ONLY = frozenset(
    {
        "output_dir",
        "resume",
        "quiet",
        "debug",
        "timeout",
        "video",
        "video_cameras",
        "url",
        "unseen",
        "instruction",
        "call_timeout",
    }
)
"""Fields that may change when an evaluation is resumed."""
NOT_STORED = frozenset({"output_dir", "resume", "quiet", "debug"})
LONGEST_TASK = 60  # in the name of a results folder


@dataclass(frozen=True, kw_only=True)
class RobotPlan:
    """Checked flags, and what follows from them.

    Attributes:
        config: The flags with all defaults, and the folder of the checkpoint if a trained policy acts.
        directory: The results folder.
        factory: Connects to the robot.
        checkpoint_note: Which checkpoint acts, and how it was found; empty for others.
        known: The task of ambidex that --task names; None for others.
    """

    config: RobotConfig
    directory: Path
    factory: RobotFactory
    checkpoint_note: str = ""
    known: "KnownTask | None" = None

    @property
    def learned(self) -> bool:
        """A trained policy acts."""
        return self.config.policy in POLICIES

    @property
    def task(self) -> str:
        """What --task says, a task of ambidex by its full name."""
        return self.known.name if self.known else str(self.config.task)

    @property
    def request(self) -> RobotRequest:
        """What is asked of the robot, without what the policy asks."""
        return RobotRequest(task=self.task, horizon=self.config.horizon)

    @property
    def seeds(self) -> range:
        """The numbers of all rollouts."""
        return range(self.config.seed, self.config.seed + self.config.rollouts)

    @property
    def resume_command(self) -> str:
        """The command that resumes this evaluation."""
        return format_command(COMMAND, replace(self.config, resume=True, quiet=False, debug=False), brief=True)

    def spec(self, robot: EnvSpec) -> EnvSpec:
        """The spec of a robot with the task and its instruction, and with stages and horizon of the flags."""
        config, known = self.config, self.known
        own = self.task == robot.task
        instruction = robot.instruction if own else known.instruction if known else self.task
        stages = known.stages if known and not own else robot.stages
        return replace(
            robot,
            task=self.task,
            instruction=instruction,
            stages=("none", *config.stages) if config.stages else stages,
            horizon=config.horizon or robot.horizon,
        )


@dataclass(frozen=True, kw_only=True)
class KnownTask:
    """Name, instruction, stages, robot and family of a task of ambidex."""

    name: str
    instruction: str
    stages: tuple[str, ...]
    robot: str
    family: str


def make_plan(config: RobotConfig, factory: RobotFactory | None = None) -> RobotPlan:
    """Check the flags and fill in their defaults; `factory` connects to the robot, None for what --robot names.

    Raises:
        UsageError: A flag is missing, unknown or out of range, the code cannot be imported, or there is no checkpoint.
    """
    if factory is None and not is_address(config.robot):
        hint = "Give MODULE:FACTORY, the code that connects to it; docs/robot.md has an example."
        raise UsageError(f"--robot {config.robot!r} names no robot.", hint, field="robot", got=config.robot)
    if not config.task:
        hint = "Name a task of ambidex, or say in words what the robot is to do."
        raise UsageError("No task is given: --task is missing.", hint, field="task")
    _check_choices(config)
    _check_numbers(config)
    known = _known_task(config.task)
    learned = config.policy in POLICIES
    directory = config.output_dir or _default_folder(config)
    if learned and config.resume:
        config = with_stored_checkpoint(config, directory)
    if learned and config.checkpoint is None and known is None:
        hint = "Name one with --checkpoint."
        raise UsageError("Which checkpoint acts is not clear, because --task is no task of ambidex.", hint)
    config, note = with_checkpoint(config, [known.name] if known else []) if learned else (config, "")
    return RobotPlan(
        config=replace(config, video=config.video or "all", verdicts=config.verdicts or ASK),
        directory=directory,
        factory=factory or cast("Callable[..., Any]", import_code("--robot", config.robot)),
        checkpoint_note=note,
        known=known,
    )


def check_resume(plan: RobotPlan, results: ResultsFolder) -> list[str]:
    """How the flags differ from those of the folder, one line each; none if it is new.

    Raises:
        UsageError: Another command wrote the folder.
    """
    if not results.exists:
        return []
    old = results.info.settings(COMMAND, RobotConfig)
    found = changed_flags(old, plan.config, ignore=SESSION_ONLY | {"rollouts", "checkpoint", "device"})
    if plan.config.rollouts < old.rollouts:
        found.append(f"--rollouts was {old.rollouts}, now {plan.config.rollouts}: it may only grow")
    return found


def _check_choices(config: RobotConfig) -> None:
    own_code, remote = is_address(config.policy), config.policy == REMOTE
    learned = not (own_code or remote or config.policy == HOLD)
    check_name("execution", config.execution, MODES)
    check_name("choice for --video", config.video or "all", VIDEO_CHOICES)
    check_policy(config, (*POLICIES, HOLD, REMOTE), learned=learned, own_code=own_code)
    check_policy_flags(config, remote=remote, own_code=own_code)
    for label in config.unseen or ():
        check_name("label of --unseen", label, UNSEEN)


def _check_numbers(config: RobotConfig) -> None:
    lowest = {"rollouts": 1, "seed": FIRST_BENCHMARK_SEED, "call_timeout": 0.1, "horizon": 1}
    for name, low in lowest.items():
        value = getattr(config, name)
        if value is not None and not value >= low:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} {value}: expected {low} or more.", field=name, got=value, expected=low)
    try:
        task_folder(str(config.task))
    except DatasetError as error:
        problem = f"--task {config.task!r:.60}: files cannot be named after it."
        raise UsageError(problem, "Use fewer words, without line breaks.", field="task", got=config.task) from error


def _known_task(task: str) -> KnownTask | None:
    if not (is_libero_name(task) or is_registered(task)):
        return None
    found = find_task(task)
    return KnownTask(
        name=found.name,
        instruction=found.instructions[FILENAME],
        stages=found.stages,
        robot=found.robot,
        family=found.family,
    )


def _default_folder(config: RobotConfig) -> Path:
    words = [config.policy_name or config.policy, "robot", str(config.task)[:LONGEST_TASK]]
    mode = (
        config.execution if config.execution != "chunk" or not config.execute_steps else f"chunk{config.execute_steps}"
    )
    words += [] if mode == "chunk" else [mode]
    return Path("results") / "-".join(re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in words)
