"""The flags of `run-benchmark`, which are also the arguments of `benchmark`."""

from dataclasses import dataclass, fields, replace
from typing import Annotated

import tyro

from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.errors import UsageError
from ambidex.flags import OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.recorders.recording.config import Spread

ExecutionMode = Annotated[str, tyro.conf.arg(metavar="{chunk,first,ensemble}")]
Videos = Annotated[str, tyro.conf.arg(metavar="{failures,all,none}")]


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """Measure how often a policy, or a baseline, succeeds from starts that nobody was trained on.

    Every episode is one row of results.jsonl; summary.json and the table at the end give each rate with its 95 %
    interval; report.html shows it all. The same seeds give the same outcomes with any number of workers.
    """

    policy: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    """Who acts: a learned policy such as act, scripted for the task's expert, random, or hold, which stays
    where it is. Must be given."""
    checkpoint: OptionalPath = None
    """Checkpoint or run folder of a learned policy; auto is the newest run of that policy under runs/."""
    task: OptionalName = None
    """The task. This, --suite or --bddl-file must be given."""
    suite: OptionalName = None
    """A suite: all its tasks, one after the other."""
    bddl_file: OptionalPath = None
    """A BDDL definition of your own, or one of LIBERO's, as the task."""
    protocol: OptionalName = None
    """Pose LIBERO's tasks as another stack does: openvla, lerobot or libero decide --success, --horizon,
    --settle-steps and --episodes where these are not given; results say where they differ."""
    init_states: OptionalPath = None
    """File of LIBERO's own initial states (.init, .pruned_init) to start from, one per episode; for a suite, the
    folder with one file per task."""
    success: OptionalName = None
    """What counts: strict also wants the things released and at rest; libero is the goal alone, at any one step;
    auto is strict."""
    horizon: OptionalInt = None
    """Control steps of an episode; auto is the task's own."""
    settle_steps: OptionalInt = None
    """Control steps of doing nothing before an episode begins; auto is 0."""
    episodes: OptionalInt = None
    """Episodes per task; auto is 50."""
    seed: int = FIRST_BENCHMARK_SEED
    """First seed, 100000 or more."""
    spread: Spread = "published"
    """Reset distribution: the published one, or a wider one."""
    execution: ExecutionMode = "chunk"
    """How chunks are played: chunk is open loop, first asks at every step, ensemble averages all that were said (and
    the code that results show for a step is the newest one)."""
    execute_steps: OptionalInt = None
    """With --execution chunk, actions played before the next request; auto is what the checkpoint says, else the whole
    chunk."""
    control: OptionalName = None
    """Of a policy that knows a robot in several control modes: which, e.g. joint or ee; auto is the only one."""
    code: OptionalInt = None
    """Of a policy that makes its actions from codes, such as uniact: play this one whatever is seen and asked; auto
    lets the policy choose."""
    device: OptionalName = None
    """Where the policy computes: cpu, cuda or cuda:1; auto is a GPU if there is one."""
    output_dir: OptionalPath = None
    """Results folder; auto is results/POLICY-TASK."""
    video: Videos = "failures"
    """Make videos of the failures, of all episodes or of none; they can be made later too."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    resume: Switch = False
    """Go on with a benchmark that was interrupted, or extend it; --output-dir alone says which, else give the same
    flags."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


RUN_ONLY = frozenset({"output_dir", "video", "workers", "resume", "quiet", "debug"})
"""Fields that change how a benchmark is run, but not its results."""


# FOLDED benchmarks.running.resumed_config: `run-benchmark --resume --output-dir FOLDER` alone: the other flags are in the folder.

COMMAND = "run-benchmark"
MAY_BE_GIVEN = RUN_ONLY | {"episodes"}


def resumed(config: BenchmarkConfig) -> BenchmarkConfig:
    """The config with what the results folder was made with, if no policy is named and the folder is to be resumed.

    How it is run, and how many episodes, is as given.

    Raises:
        UsageError: Other flags are given, but no policy.
        DatasetError: benchmark.json is damaged, or of a version whose flags are not understood.
    """
    folder = config.output_dir
    if config.policy or not config.resume or folder is None or not (folder / BENCHMARK_JSON).is_file():
        return config
    _check_nothing_else(config)
    then = BenchmarkInfo.read(folder).settings(COMMAND, BenchmarkConfig)
    how = {name: getattr(config, name) for name in RUN_ONLY}
    return replace(then, **how, episodes=config.episodes or then.episodes)


def _check_nothing_else(config: BenchmarkConfig) -> None:
    usual = BenchmarkConfig()
    given = [f.name for f in fields(config) if getattr(config, f.name) != getattr(usual, f.name)]
    flags = [f"--{name.replace('_', '-')}" for name in given if name not in MAY_BE_GIVEN]
    if flags:
        raise UsageError(
            f"--resume: {', '.join(flags)} is given, but no --policy. Give --output-dir alone, and all flags are those "
            f"that {config.output_dir} was made with; or give them all again, as then."
        )
