"""Checks the flags of a benchmark and fills in their defaults, before anything is started."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

from ambidex.benchmarks.evaluation.agents import BASELINES
from ambidex.benchmarks.evaluation.config import NOT_STORED, RUN_ONLY, STORED, BenchmarkConfig, PolicyFlags
from ambidex.benchmarks.evaluation.own_policy import is_address
from ambidex.benchmarks.evaluation.protocol import apply_protocol, protocol_deviations, settle_gripper, strip_defaults
from ambidex.benchmarks.evaluation.task_settings import TaskSettings, init_states_sha256
from ambidex.benchmarks.remote.flags import REMOTE, check_policy_flags, choose_layout
from ambidex.benchmarks.results.info import BENCHMARK_JSON, COMMAND, BenchmarkInfo, TakeOverStep
from ambidex.benchmarks.results.row import EpisodeKey
from ambidex.benchmarks.videos.make import VIDEO_CHOICES
from ambidex.cluster.address import check_cluster
from ambidex.envs.env import SPREADS
from ambidex.envs.file_identity import text_sha256
from ambidex.envs.perturbations.perturbation import LIBERO_PLUS
from ambidex.envs.perturbations.registry import (
    IMAGES_ONLY,
    INSTRUCTION_ONLY,
    as_file_name,
    axes_with_levels,
    parse_axes,
)
from ambidex.envs.registry import SUITES, canonical_task, find_task, is_registered, mirrored_name, tasks_named
from ambidex.envs.robot import IDENTIFIED
from ambidex.envs.shards import Shard
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.task import FILENAME
from ambidex.envs.tasks.libero.suites import SUFFIX, is_libero_name
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UsageError, check_name
from ambidex.flags import format_command
from ambidex.policies.registry import POLICIES
from ambidex.policies.remote.layouts import Layout
from ambidex.policies.run_folder import CHECKPOINTS, CONFIG, LAST, RUNS, find_checkpoint, newest_run
from ambidex.policies.serving.execution import MODES
from ambidex.recorders.dataset.layout import definition_task, task_folder
from ambidex.text import first_few

Config = TypeVar("Config", bound=PolicyFlags)
DEFAULT_VIDEO = "failures"
TRAINING_SEEDS = (
    "The episodes are of training seeds, so these rates say nothing about initial states that are held out."
)


@dataclass(frozen=True, kw_only=True)
class BenchmarkPlan:
    """Checked flags, and what follows from them.

    Attributes:
        config: The flags with all defaults, and the folder of the checkpoint if a trained policy acts.
        tasks: The tasks, in order.
        directory: The results folder.
        definition: Text of the user's definition; empty for tasks that come with ambidex.
        init_states_sha256: Task -> SHA-256 of its file of initial states; empty if initial states are sampled.
        checkpoint_note: Which checkpoint acts, and how it was found; empty for a baseline.
        instruction_note: The other instruction that a user's definition names; empty for none.
        learned: A trained policy acts, not a baseline, a policy on a server or an agent of the caller's own.
        layout: What a policy on a server is sent; None for others.
        own_agent: The caller of `benchmark` makes the agents.
        take_over: Where the episodes start; None for initial states.
        failures: The episodes, if they start within failures of another policy.
        as_given: The flags that a user gave for a take-over, in place of those for one of its steps; else None.
    """

    config: BenchmarkConfig
    tasks: tuple[str, ...]
    directory: Path
    definition: str = ""
    init_states_sha256: Mapping[str, str] = field(default_factory=dict)
    checkpoint_note: str = ""
    instruction_note: str = ""
    learned: bool = True
    layout: Layout | None = None
    own_agent: bool = False
    take_over: TakeOverStep | None = None
    failures: tuple[EpisodeKey, ...] = ()
    as_given: BenchmarkConfig | None = None

    @property
    def episodes(self) -> list[EpisodeKey]:
        """All episodes, or those of the shard, in order."""
        if self.take_over:
            return list(self.failures)
        first, count, shard = self.config.seed, self.config.episodes or 0, self.config.shard
        episodes = [(task, seed) for task in self.tasks for seed in range(first, first + count)]
        return episodes if shard is None else Shard.parse(shard).of(episodes)

    @property
    def task_settings(self) -> TaskSettings:
        """How the tasks are set up."""
        config = self.config
        return TaskSettings(
            spread=config.spread,
            dynamics=config.dynamics,
            perturb=config.perturb,
            success=str(config.success),
            horizon=config.horizon,
            settle_steps=config.settle_steps or 0,
            settle_gripper=settle_gripper(config),
            init_states=config.init_states,
            instruction_source=config.instruction_source or FILENAME,
            definition_sha256=text_sha256(self.definition),
            init_states_sha256=self.init_states_sha256,
        )

    @property
    def seeds_warning(self) -> str:
        """That the episodes are none of held-out seeds; empty if they are."""
        return TRAINING_SEEDS if self.config.training_seeds else ""

    @property
    def perturbation_note(self) -> str:
        """Which perturbations a baseline does not notice; empty if there are none."""
        if self.config.policy not in BASELINES:
            return ""
        unseen = [axis for axis in parse_axes(self.config.perturb) if axis in IMAGES_ONLY | INSTRUCTION_ONLY]
        return f"{', '.join(unseen)}: {self.config.policy} uses neither images nor the instruction." if unseen else ""

    @property
    def protocol(self) -> str:
        """The protocol and the flags that deviate from it; empty for none."""
        deviations = protocol_deviations(self.config, self.tasks)
        return ", but ".join(filter(None, (self.config.protocol, " and ".join(deviations))))

    @property
    def resume_command(self) -> str:
        """The command that resumes this benchmark; for an agent of the caller's own, what to do instead."""
        if self.own_agent:
            return "the same call of benchmark, with resume=True"
        given = self.as_given or strip_defaults(self.config, self.tasks)
        shown = replace(given, resume=True, quiet=False, debug=False)
        shown = replace(shown, video=None if shown.video == DEFAULT_VIDEO else shown.video)
        return format_command(COMMAND, shown, brief=True)


def known_policies() -> tuple[str, ...]:
    """The names that --policy takes."""
    return (*POLICIES, *BASELINES, REMOTE)


def make_plan(config: BenchmarkConfig, *, own_agent: bool = False) -> BenchmarkPlan:
    """Check the flags and fill in their defaults.

    Args:
        config: The flags.
        own_agent: The caller makes the agents, of any name and in any control mode.

    Raises:
        UsageError: A flag is missing, unknown or out of range, or there is no checkpoint.
        DatasetError: The results to resume are damaged.
        RenderingError: Videos are requested, and no OpenGL library can be loaded.
    """
    check_no_take_over(config)
    check_cluster(config.cluster, config.workers)
    config = _with_stored_flags(config)
    config = replace(config, video=config.video or DEFAULT_VIDEO, perturb=axes_with_levels(config.perturb))
    _check_choices(config)
    own_code = own_agent or is_address(config.policy)
    remote = config.policy == REMOTE and not own_agent
    learned = not (own_code or remote or config.policy in BASELINES)
    check_policy(config, known_policies(), learned=learned, own_code=own_code)
    check_policy_flags(config, remote=remote, own_code=own_code)
    config = _with_mirror_image(_with_definition_as_task(config))
    tasks = _tasks(config)
    config = apply_protocol(config, tasks)
    _check_numbers(config)
    config = _with_checked_shard(config, tasks)
    if config.video != "none":
        choose_backend()
    directory = config.output_dir or default_folder(config)
    if learned and config.resume:
        config = with_stored_checkpoint(config, directory)
    config, note = with_checkpoint(config, tasks) if learned else (config, "")
    own = [find_task(task) for task in tasks if task.endswith(SUFFIX)]
    return BenchmarkPlan(
        config=replace(config, instruction_source=None) if config.instruction_source == FILENAME else config,
        tasks=tasks,
        directory=directory,
        definition="".join(task.definition_text for task in own),
        init_states_sha256=init_states_sha256(config.init_states, tasks, config.episodes or 0),
        checkpoint_note=note,
        instruction_note="" if config.instruction_source else "".join(task.instruction_note for task in own),
        learned=learned,
        layout=choose_layout(config, find_task(tasks[0]).family) if remote else None,
        own_agent=own_agent,
    )


def check_no_take_over(config: BenchmarkConfig) -> None:
    """Raise a UsageError if a flag of take-overs is given, which `take_over` runs."""
    if config.take_over is not None:
        hint = "Call ambidex.benchmarks.take_over.run.take_over, which takes the same flags."
        raise UsageError(f"--take-over {config.take_over}: benchmark runs whole episodes only.", hint)
    if flags := config.given(("every", "take_over_steps", "record_dataset", "cameras")):
        raise UsageError(f"{', '.join(flags)}: only with --take-over RESULTS.", got=flags)


def _with_stored_flags(config: BenchmarkConfig) -> BenchmarkConfig:
    """With --resume and --output-dir but no --policy, the flags of the folder; `WITH_OUTPUT_DIR_ALONE` as given."""
    folder = config.output_dir
    if config.policy or not config.resume or folder is None or not (folder / BENCHMARK_JSON).is_file():
        return config
    return flags_of_folder(config, folder, BenchmarkInfo.read(folder).settings(COMMAND, BenchmarkConfig))


def flags_of_folder(
    config: BenchmarkConfig, folder: Path, stored: BenchmarkConfig, amount: Set[str] = frozenset({"episodes"})
) -> BenchmarkConfig:
    """The flags that a folder was made with, and of those given now the ones that may be given with --resume.

    Args:
        config: The flags given now: --resume, --output-dir and few others.
        folder: The folder.
        stored: Its flags.
        amount: Fields that say how much to run, which may grow. If one is given now, all are taken from now.

    Raises:
        UsageError: Others are given too, or the folder has results of code that the user did not name.
    """
    defaults = BenchmarkConfig()
    given = [f.name for f in fields(config) if getattr(config, f.name) != getattr(defaults, f.name)]
    flags = [f"--{name.replace('_', '-')}" for name in given if name not in RUN_ONLY | amount]
    if flags:
        hint = f"Give --output-dir alone, which takes the flags that {folder} was made with; or give all of them again."
        raise UsageError(f"--resume: {', '.join(flags)} without --policy.", hint, got=flags, path=folder)
    if is_address(stored.policy):  # code is run only if the user names it, not a file
        hint = f"Give all flags again, with --policy {stored.policy}."
        raise UsageError(f"--resume: {folder} has results of your own code.", hint, got=stored.policy, path=folder)
    given_now = {name: getattr(config, name) for name in NOT_STORED}
    stored_unless_given = {name: getattr(stored if getattr(config, name) is None else config, name) for name in STORED}
    source = config if any(getattr(config, name) is not None for name in amount) else stored
    return replace(stored, **given_now, **stored_unless_given, **{name: getattr(source, name) for name in amount})


def _check_choices(config: BenchmarkConfig) -> None:
    if flags := config.given(("tournament", "checkpoints", "policies")):
        hint = "Add --tournament; from Python, call ambidex.benchmarks.tournament.run.run_tournament."
        raise UsageError(f"{', '.join(flags)}: only in a tournament of several policies.", hint, got=flags)
    if flags := config.given(("axes", "levels", "budget", "spend")):
        budget = ", or --budget with --tournament" if "--budget" in flags else ""
        raise UsageError(f"{', '.join(flags)}: only with --suite robustness{budget}.", got=flags)
    if config.protocol == LIBERO_PLUS:
        problem = f"--protocol {LIBERO_PLUS}: only with --suite robustness, as it perturbs episodes."
        raise UsageError(problem, "Add the suite, or give --protocol openvla for clean episodes.", field="protocol")
    check_name("execution", config.execution, MODES)
    check_name("choice for --video", str(config.video), VIDEO_CHOICES)
    check_name("spread", config.spread, SPREADS)


def check_policy(config: PolicyFlags, known: Sequence[str], *, learned: bool, own_code: bool) -> None:
    """Raise a UsageError unless the policy is among the known ones, or code, and the flags are for such a policy."""
    if not config.policy:
        raise UsageError("No policy is given.", f"Name one with --policy: {', '.join(known)}.", expected=known)
    if config.policy_name in known:
        problem = f"--policy-name {config.policy_name}: this is the name of a policy of ambidex."
        raise UsageError(problem, "Give another one.", got=config.policy_name)
    if not own_code:
        check_name("policy", config.policy, known)
    if learned:
        return
    if flags := config.given(("checkpoint", "code", "device")):
        raise UsageError(
            f"{', '.join(flags)}: only for trained policies; {config.policy} has no checkpoint.", got=flags
        )
    if (flags := config.given(("execute_steps", "execution"))) and (own_code or config.policy in BASELINES):
        raise UsageError(
            f"{', '.join(flags)}: only for policies that predict chunks, unlike {config.policy}.", got=flags
        )


def _with_definition_as_task(config: BenchmarkConfig) -> BenchmarkConfig:
    if config.bddl_file is None:
        return config
    if config.task is not None or config.suite is not None:
        raise UsageError(f"--bddl-file {config.bddl_file} excludes --task and --suite.", "Give one of the three.")
    return replace(config, task=definition_task(config.bddl_file), bddl_file=None)


def _with_mirror_image(config: BenchmarkConfig) -> BenchmarkConfig:
    if not config.mirrored:
        return config
    task, suite = (None if name is None else mirrored_name(name) for name in (config.task, config.suite))
    return replace(config, task=task, suite=suite, mirrored=False)


def _tasks(config: BenchmarkConfig) -> tuple[str, ...]:
    if (config.task is None) == (config.suite is None):
        hint = f"Suites are {', '.join(SUITES)}; `record-episodes --list` prints them and their tasks."
        raise UsageError("Expected one of --task, --suite and --bddl-file.", hint)
    if config.task is not None:
        return tasks_named(config.task)
    suite = str(config.suite)
    if is_registered(suite) or (is_libero_name(suite) and suite not in SUITES):
        problem = f"--suite {suite}: {canonical_task(suite)} is a task, not a suite."
        raise UsageError(problem, f"Give it with --task {suite}.", got=suite, expected=tuple(SUITES))
    check_name("suite", suite, SUITES)
    return SUITES[suite]


def _check_numbers(config: BenchmarkConfig) -> None:
    if (config.episodes or 0) < 1:
        raise UsageError(f"--episodes {config.episodes}: expected 1 or more.", got=config.episodes)
    last = config.seed + (config.episodes or 0) - 1
    if config.training_seeds and not 0 <= config.seed <= last < FIRST_BENCHMARK_SEED:
        end = FIRST_BENCHMARK_SEED - 1
        problem = f"--training-seeds: seeds {config.seed} to {last} are asked for, and training seeds end at {end}."
        raise UsageError(problem, "Give a lower --seed.", got=last, expected=end)
    if not config.training_seeds and config.seed < FIRST_BENCHMARK_SEED:
        problem = f"--seed {config.seed} is a training seed: a policy may have been trained on its initial state."
        hint = f"Give a held-out seed, {FIRST_BENCHMARK_SEED} or more; or --training-seeds, to record take-overs."
        raise UsageError(problem, hint, got=config.seed, expected=FIRST_BENCHMARK_SEED)
    if config.workers is not None and config.workers < 0:
        raise UsageError(
            f"--workers {config.workers}: expected 1 or more, or 0 to work in this process.", got=config.workers
        )


def _with_checked_shard(config: BenchmarkConfig, tasks: Sequence[str]) -> BenchmarkConfig:
    """With --shard as it is stored; a UsageError if it is none, or if a shard would have no episode."""
    if config.shard is None:
        return config
    shard = Shard.parse(config.shard)
    shard.check(len(tasks) * (config.episodes or 0), "episode")
    return replace(config, shard=str(shard))


def with_stored_checkpoint(config: Config, folder: Path) -> Config:
    """Unless one is given, with the checkpoint of the results in a folder, if it still exists."""
    if config.checkpoint is not None or not (folder / BENCHMARK_JSON).is_file():
        return config
    stored = BenchmarkInfo.read(folder).checkpoint
    exists = stored is not None and (Path(stored.path) / CONFIG).is_file()
    return replace(config, checkpoint=Path(stored.path)) if stored and exists else config


def with_checkpoint(config: Config, tasks: Sequence[str]) -> tuple[Config, str]:
    """The config with the folder of one checkpoint, and a sentence that says how it was found."""
    found = find_checkpoint(config.checkpoint or newest_run(config.policy, tasks))
    return replace(config, checkpoint=found), _checkpoint_note(config.checkpoint, found, config.policy, tasks)


def _checkpoint_note(given: Path | None, found: Path, policy: str, tasks: Sequence[str]) -> str:
    if given is None:
        newest = f"the newest run of {policy} under {RUNS}/ that was trained on {first_few(tasks)}"
        return f"The checkpoint is {found}, the last one of {newest}."
    if given.resolve() == found and given.name != LAST:
        return f"The checkpoint is {found}."
    last_of = found.parent.parent if found.parent.name == CHECKPOINTS else given
    return f"The checkpoint is {found}, the last one of {last_of}."


def default_folder(config: BenchmarkConfig) -> Path:
    """The results folder of a benchmark whose flags name none."""
    steps = "" if config.execute_steps is None else f"chunk{config.execute_steps}"
    own_name = config.policy_name if is_address(config.policy) else None
    parts = (
        own_name or re.sub(r"[^\w.+-]+", "-", config.policy),
        None if own_name else config.policy_name,
        _tasks_name(config),
        config.protocol,
        steps if config.execution == "chunk" else config.execution,
        config.control,
        "" if config.code is None else f"code{config.code}",
        "" if config.spread == "published" else config.spread,
        "" if config.dynamics == IDENTIFIED else f"{config.dynamics}-dynamics",
        "" if config.instruction_source in (None, FILENAME) else config.instruction_source,
        *map(as_file_name, config.perturb),
        "training-seeds" if config.training_seeds else "",
        "" if config.shard is None else Shard.parse(config.shard).label,
    )
    return Path("results") / "-".join(filter(None, parts))


def _tasks_name(config: BenchmarkConfig) -> str:
    if config.suite is not None:
        return config.suite
    (task, *others) = tasks_named(str(config.task))
    if others:
        return str(config.task)
    return task_folder(task) if task.endswith(SUFFIX) else task.replace("/", "-")
