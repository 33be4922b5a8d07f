"""Everything about a benchmark that can be wrong before anything is started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ambidex.benchmarks.evaluation.agents import BASELINES
from ambidex.benchmarks.evaluation.config import BenchmarkConfig, resumed
from ambidex.benchmarks.evaluation.protocol import apply_protocol, protocol_deviations, settle_gripper, strip_defaults
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.evaluation.worker import EpisodeJob
from ambidex.benchmarks.videos.make import VIDEO_CHOICES
from ambidex.envs.env import SPREADS
from ambidex.envs.file_identity import file_sha256, text_sha256
from ambidex.envs.registry import SUITES, find_task, tasks_named
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.tasks.libero.initial.state_file import read_init_states
from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UnknownNameError, UsageError
from ambidex.flags import format_command
from ambidex.policies.registry import POLICIES
from ambidex.policies.run_folder import CHECKPOINTS, LAST, RUNS, find_checkpoint, newest_run
from ambidex.policies.serving.execution import MODES
from ambidex.recorders.dataset.layout import definition_name, task_folder

COMMAND = "run-benchmark"


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """A checked config.

    Attributes:
        config: With every default filled in, and the folder of the checkpoint if a learned policy acts.
        tasks: The tasks, in order.
        directory: The results folder.
        definition: Text of the user's definition; empty for tasks that come with ambidex.
        starts_sha256: Task -> fingerprint of the file of its initial states; empty for starts of our own.
        checkpoint_words: Which checkpoint acts, and how it was found; empty for a baseline.
    """

    config: BenchmarkConfig
    tasks: tuple[str, ...]
    directory: Path
    definition: str = ""
    starts_sha256: Mapping[str, str] = field(default_factory=dict)
    checkpoint_words: str = ""

    @property
    def learned(self) -> bool:
        """A checkpoint acts."""
        return self.config.policy not in BASELINES

    def jobs(self) -> list[EpisodeJob]:
        """All episodes, in order."""
        first, count = self.config.seed, self.config.episodes or 0
        return [EpisodeJob(task=task, seed=seed) for task in self.tasks for seed in range(first, first + count)]

    @property
    def task_settings(self) -> TaskSettings:
        """How the tasks are posed."""
        config = self.config
        return TaskSettings(
            spread=config.spread,
            success=str(config.success),
            horizon=config.horizon,
            settle_steps=config.settle_steps or 0,
            settle_gripper=settle_gripper(config),
            init_states=config.init_states,
            definition_sha256=text_sha256(self.definition),
            starts_sha256=self.starts_sha256,
        )

    @property
    def protocol(self) -> str:
        """The protocol and where the flags depart from it; empty for none."""
        parted = protocol_deviations(self.config, self.tasks)
        return ", but ".join(filter(None, (self.config.protocol, " and ".join(parted))))

    @property
    def resume_command(self) -> str:
        """The command that goes on with this benchmark."""
        shown = replace(strip_defaults(self.config, self.tasks), resume=True, quiet=False, debug=False)
        return format_command(COMMAND, shown, brief=True)


def make_plan(config: BenchmarkConfig) -> BenchmarkPlan:
    """Check a config.

    Raises:
        UsageError: Something is missing, unknown, or out of range; also if there is no checkpoint.
        DatasetError: The results to go on with are damaged.
        RenderingError: Videos are asked for, and no OpenGL library can be loaded.
    """
    config = resumed(config)
    for kind, name, known in (
        ("execution", config.execution, MODES),
        ("choice for --video", config.video, VIDEO_CHOICES),
        ("spread", config.spread, SPREADS),
    ):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    _check_policy(config)
    config = _with_definition(config)
    tasks, directory = _tasks(config), config.output_dir or _folder(config)
    config = apply_protocol(config, tasks)
    _check_numbers(config)
    if config.video != "none":
        choose_backend()
    config, words = _with_checkpoint(config)
    plan = BenchmarkPlan(
        config=config, tasks=tasks, directory=directory, definition=_definition(tasks), checkpoint_words=words
    )
    return replace(plan, starts_sha256=starts_sha256(config, tasks, plan.task_settings))


def _with_checkpoint(config: BenchmarkConfig) -> tuple[BenchmarkConfig, str]:
    """The folder of the one checkpoint that acts, and in words how it was found."""
    if config.policy in BASELINES:
        return config, ""
    found = find_checkpoint(config.checkpoint or newest_run(config.policy))
    return replace(config, checkpoint=found), checkpoint_words(config.checkpoint, found, config.policy)


def _check_policy(config: BenchmarkConfig) -> None:
    known = (*POLICIES, *BASELINES)
    if not config.policy:
        raise UsageError(f"No policy is given. Name one with --policy: {', '.join(known)}.")
    if config.policy not in known:
        raise UnknownNameError("policy", config.policy, known)
    given = {
        "--checkpoint": config.checkpoint,
        "--execute-steps": config.execute_steps,
        "--control": config.control,
        "--code": config.code,
        "--device": config.device,
    }
    flags = [flag for flag, value in given.items() if value is not None]
    if config.policy in BASELINES and (flags or config.execution != "chunk"):
        what = ", ".join([*flags, *(["--execution"] if config.execution != "chunk" else [])])
        raise UsageError(
            f"{what}: only for learned policies; {config.policy} has no checkpoint and predicts no chunks."
        )


def _check_numbers(config: BenchmarkConfig) -> None:
    if (config.episodes or 0) < 1:
        raise UsageError(f"--episodes {config.episodes}: expected 1 or more.")
    if config.seed < FIRST_BENCHMARK_SEED:
        raise UsageError(
            f"--seed {config.seed} is a training seed. Benchmarks begin at {FIRST_BENCHMARK_SEED} or later, so that "
            "no policy is tested on a start it was trained on."
        )
    if config.workers is not None and config.workers < 0:
        raise UsageError(f"--workers {config.workers}: expected 1 or more, or 0 to work in this process.")


def _with_definition(config: BenchmarkConfig) -> BenchmarkConfig:
    """A definition file as what it stands for, a task."""
    if config.bddl_file is None:
        return config
    if config.task is not None or config.suite is not None:
        raise UsageError(f"--bddl-file {config.bddl_file}: give either this, --task or --suite.")
    return replace(config, task=definition_name(config.bddl_file), bddl_file=None)


def _definition(tasks: tuple[str, ...]) -> str:
    return "".join(find_task(task).definition_text for task in tasks if task.endswith(SUFFIX))  # there is one at most


def _tasks(config: BenchmarkConfig) -> tuple[str, ...]:
    if (config.task is None) == (config.suite is None):
        raise UsageError(
            f"Give either --task, --suite or --bddl-file. Suites: {', '.join(SUITES)}; `record-episodes --list` prints "
            "them and their tasks."
        )
    if config.task is not None:
        return tasks_named(config.task)
    suite = str(config.suite)
    if suite not in SUITES:
        raise UnknownNameError("suite", suite, SUITES)
    return SUITES[suite]


def _named(config: BenchmarkConfig) -> str:
    if config.suite is not None:
        return config.suite
    (task, *others) = tasks_named(str(config.task))
    if others:
        return str(config.task)
    return task_folder(task) if task.endswith(SUFFIX) else task.replace("/", "-")


def _folder(config: BenchmarkConfig) -> Path:
    name = f"{config.policy}-{_named(config)}"
    if config.protocol is not None:
        name += f"-{config.protocol}"
    if config.execution != "chunk":
        name += f"-{config.execution}"
    elif config.execute_steps is not None:
        name += f"-chunk{config.execute_steps}"
    if config.control is not None:
        name += f"-{config.control}"
    if config.code is not None:
        name += f"-code{config.code}"
    if config.spread != "published":
        name += f"-{config.spread}"
    return Path("results") / name


# FOLDED benchmarks.running.checkpoint_words: Which checkpoint a benchmark took, in words.


def checkpoint_words(asked: Path | None, found: Path, policy: str) -> str:
    """One sentence.

    Args:
        asked: What --checkpoint named; None for the newest run.
        found: The folder of the checkpoint, links followed.
        policy: Its kind.
    """
    if asked is None:
        return f"The checkpoint is {found}, the last one of the newest run of {policy} under {RUNS}/."
    if asked.resolve() == found and asked.name != LAST:
        return f"The checkpoint is {found}."
    last_of = found.parent.parent if found.parent.name == CHECKPOINTS else asked
    return f"The checkpoint is {found}, the last one of {last_of}."


# FOLDED benchmarks.running.starts: The files of initial states that a benchmark's episodes begin from.


def starts_sha256(config: BenchmarkConfig, tasks: Sequence[str], terms: TaskSettings) -> dict[str, str]:
    """Task -> fingerprint of the file of its initial states; empty for starts of our own.

    Raises:
        UsageError: A task has no such file, or one with fewer states than episodes: an episode from the same start is
            the same again, and counts as no other.
        DatasetError: A file cannot be read.
    """
    if config.init_states and not config.init_states.is_dir() and len(tasks) > 1:
        raise UsageError(
            f"--init-states {config.init_states} is one file, and there are {len(tasks)} tasks. Give the folder with "
            "one file per task, or one --task."
        )
    files = {task: file for task in tasks if (file := terms.starts_of(task)) is not None}
    for file in sorted(set(files.values())):
        _check_count(file, config.episodes or 0)
    return {task: file_sha256(file) for task, file in files.items()}


def _check_count(file: Path, episodes: int) -> None:
    states = len(read_init_states(file))
    if states < episodes:
        raise UsageError(
            f"--episodes {episodes}: {file} holds {states} initial states, and an episode from the same one says "
            f"nothing new, so the interval would promise too much. Give --episodes {states} or fewer."
        )
