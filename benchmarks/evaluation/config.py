"""The flags of `run-benchmark`, which are also the arguments of `benchmark`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.flags import (
    Axes,
    Cluster,
    Flags,
    ImageSize,
    Names,
    OptionalInt,
    OptionalName,
    OptionalPath,
    Switch,
    name_or,
    readable_signature,
)
from ambidex.recorders.recording.config import Dynamics, Spread

SCRIPTED = "scripted"
"""The policy that is the expert of the task."""
ExecutionMode = Annotated[str, tyro.conf.arg(metavar="{chunk,first,ensemble}")]
TournamentMode = Annotated[str | None, name_or("order", "[{order,best}]")]
Videos = Annotated[OptionalName, tyro.conf.arg(metavar="{failures,all,none}")]


@dataclass(frozen=True, kw_only=True)
class PolicyFlags(Flags):
    """The flags of `run-benchmark` and `evaluate-robot` that say which policy acts, and how."""

    policy: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    """A trained policy such as act, or a baseline (required): scripted is the task's expert, random acts randomly, hold
    keeps the initial pose; or remote, any policy on a server that speaks openpi's websocket protocol; or MODULE:NAME,
    Python code of your own."""
    checkpoint: OptionalPath = None
    """Checkpoint or run folder of a trained policy; auto is the newest run of that policy under runs/ that was
    trained on the task, or on all tasks of the suite."""
    execution: ExecutionMode = "chunk"
    """How action chunks are executed: chunk is open loop, first predicts at every step, ensemble averages all
    predictions for a step (the code stored for a step is that of the newest one)."""
    execute_steps: Annotated[OptionalInt, tyro.conf.arg(aliases=("--replan",))] = None
    """With --execution chunk, actions executed before the next prediction (--replan is the same flag); auto is the
    setting of the checkpoint or the layout, else the whole chunk."""
    code: OptionalInt = None
    """Make all actions from this code, for a policy with codes, such as uniact; auto lets the policy choose."""
    device: OptionalName = None
    """Device of the policy: cpu, cuda or cuda:1; auto is a GPU if there is one."""
    url: Annotated[OptionalName, tyro.conf.arg(metavar="URL")] = None
    """Address of the server, e.g. ws://127.0.0.1:8000. A key for it is read from the environment variable
    AMBIDEX_API_KEY."""
    layout: Annotated[OptionalName, tyro.conf.arg(metavar="NAME")] = None
    """How the policy expects observations: libero, aloha and droid are for openpi's policies, lerobot for LeRobot's,
    lerobot_ambidex for LeRobot's trained on our datasets, and ambidex for what serve-policy serves."""
    map: Annotated[Names, tyro.conf.arg(metavar="KEY=CAMERA ...")] = None
    """Send the image of a camera under this key, beside those of the layout or in their place; KEY=none leaves a key
    out."""
    policy_name: OptionalName = None
    """Name in the results of a policy on a server or of your own, for example pi05_libero; auto is the policy's."""
    timeout: OptionalInt = None
    """How long to wait for an answer [s]; auto is 300 for the first one on a connection, then 60."""

    def given(self, names: Sequence[str]) -> list[str]:
        """The flags of these fields that have another value than the default; fields of other commands have none."""
        default = type(self)()
        return [f"--{n.replace('_', '-')}" for n in names if getattr(self, n, None) != getattr(default, n, None)]


@readable_signature
@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(PolicyFlags):
    """Measure the success rate of a policy or a baseline on held-out seeds.

    Every episode is one row of results.jsonl. summary.json and the table at the end give each rate with its 95 %
    interval, report.html shows everything. The same seeds give the same outcomes with any number of workers.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "policy checkpoint url layout task suite episodes take_over output_dir video workers "
        "cluster shard resume",
        "Task": "mirrored bddl_file instruction_source protocol init_states success horizon settle_steps seed "
        "training_seeds spread dynamics perturb axes levels budget spend",
        "Several policies": "tournament checkpoints policies",
        "Take-over": "every take_over_steps record_dataset cameras",
        "Policy": "execution execute_steps control code device",
        "Policy on a server (--policy remote)": "map image_size policy_name timeout check",
        "Output": "quiet debug",
    }

    task: OptionalName = None
    """Task to evaluate; required unless --suite or --bddl-file is given."""
    suite: OptionalName = None
    """Suite to evaluate: all its tasks, one after the other. robustness is the clean episodes of --task and the same
    ones perturbed, on all --axes and --levels."""
    mirrored: Switch = False
    """The mirror image of a two-armed task: left and right exchanged. Its name ends in _mirrored."""
    bddl_file: OptionalPath = None
    """A BDDL definition of your own, or one of LIBERO's, as the task."""
    instruction_source: OptionalName = None
    """Where the instruction of a BDDL file is from: filename, as in LIBERO, or language, its section; auto is filename,
    with a note if a file of your own names another one."""
    protocol: OptionalName = None
    """Evaluation protocol for LIBERO's tasks: openvla, lerobot or libero. It sets --success, --horizon, --settle-steps
    and --episodes where they are not given; the results name deviations. With --suite robustness also libero_plus:
    the axes of LIBERO-plus, each with episodes in proportion to its variants."""
    init_states: OptionalPath = None
    """File of LIBERO's initial states (.init, .pruned_init), one per episode; for a suite, the folder with one file
    per task."""
    success: OptionalName = None
    """Criterion of success: strict also requires objects to be released and at rest; libero is the goal alone, at any
    one step; auto is strict."""
    horizon: OptionalInt = None
    """Control steps of an episode; auto is the task's own."""
    settle_steps: OptionalInt = None
    """No-op control steps before an episode starts; auto is 0."""
    episodes: OptionalInt = None
    """Episodes per task; auto is 50, or 20 in the suite robustness, where it is that of each axis and level. With
    --protocol libero_plus it is the mean over axes, and auto is 36, as many as LIBERO-plus has."""
    seed: int = FIRST_BENCHMARK_SEED
    """First seed, 100000 or more; with --training-seeds below that."""
    training_seeds: Switch = False
    """Run episodes of training seeds, to record take-overs of their failures. Their rates are none of held-out
    episodes."""
    spread: Spread = "published"
    """Reset distribution: the published one, or a wider one."""
    dynamics: Dynamics = "identified"
    """Friction and gains of the arms: identified on the real ones, or for ALOHA's tasks act, those of the original ACT
    simulation."""
    perturb: Axes = ()
    """Perturb every episode: axes with a level of 1 to 5, such as camera:3 light:2; without a level it is 3, and 0
    leaves the episode as it is. Axes are camera, wrist_camera, fov, light, object_colour, background, layout,
    distractors, robot_start, sensor, language, lag, action_delay, action_noise, dynamics and event, which is one of the
    others from the middle of the episode on. Of camera, robot_start and sensor the level libero_plus has the
    distributions of LIBERO-plus."""
    axes: Names = None
    """With --suite robustness, the axes of perturbation; auto is all."""
    levels: tuple[int, ...] = ()
    """With --suite robustness, their levels; by default 1 to 5."""
    budget: OptionalInt = None
    """With --suite robustness, episodes of all cells together, the clean ones included, in place of --episodes. Those
    of the expert are not counted. With --tournament, those of all policies together; auto is as many as if each were
    benchmarked alone."""
    spend: Annotated[str, tyro.conf.arg(metavar="{evenly,where-open}")] = "evenly"
    """How --budget is spent: evenly, or where-open, five seeds in each cell and then five at a time in the cell with
    the widest interval of the change, of those where no change is shown yet."""
    tournament: TournamentMode = None
    """Rank several policies on the same seeds, in rounds: only those whose comparison with another is still open get
    more episodes, until all are settled or --budget is spent. order, also without a word, is the order of all; best is
    the best one only."""
    checkpoints: Annotated[Names, tyro.conf.arg(metavar="PATH ...")] = None
    """With --tournament, the trained policies: checkpoints or run folders, such as runs/*/checkpoints/*."""
    policies: Names = None
    """With --tournament, baselines or MODULE:NAME that take part too."""
    take_over: Annotated[OptionalPath, tyro.conf.arg(metavar="RESULTS")] = None
    """Instead of whole episodes, continue the failures in a results folder: the policy takes over at control steps 0,
    N, 2N and so on of each failure. Tasks, settings and perturbations are those of RESULTS; --task chooses one of its
    tasks. auto is none."""
    every: OptionalInt = None
    """Control steps between take-overs, N; auto is 25."""
    take_over_steps: OptionalInt = None
    """Control steps that a policy has after a take-over; auto is one and a half times the horizon of RESULTS."""
    record_dataset: Annotated[OptionalPath, tyro.conf.arg(metavar="DIR")] = None
    """Write all successful take-overs into a dataset, an episode for each, or for several tasks into one folder with a
    dataset for each task. RESULTS has to be of training seeds. auto is none."""
    cameras: Names = None
    """With --record-dataset, the cameras to render; none records states only, auto is the family's."""
    control: OptionalName = None
    """Control mode: joint or ee; auto is the only one that a trained policy knows, for a baseline the family's."""
    image_size: ImageSize = None
    """Height and width of images [px]: with --record-dataset of those of the dataset, and for a policy on a server as
    they are rendered, before the layout scales them; auto is the family's."""
    check: Switch = False
    """Send one observation, print what was sent and what came back, and exit; with --output-dir the images that were
    sent are written there."""
    output_dir: OptionalPath = None
    """Results folder; auto is results/POLICY-TASK, and of take-overs results/POLICY-takes-over-RESULTS."""
    video: Videos = None
    """Make videos of the failures, of all episodes or of none; auto is failures, of take-overs none. Videos can also
    be made later."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging. On a cluster they
    are Ray actors."""
    cluster: Cluster = None
    """Work on a Ray cluster; auto is worker processes of this machine. ray is the cluster of RAY_ADDRESS or of this
    machine, and is started if there is none; ray://HOST:PORT is another one."""
    shard: Annotated[OptionalName, tyro.conf.arg(metavar="I/N")] = None
    """Run only shard I of N of the episodes, such as 3/16: a mixture of all tasks. merge-results makes one folder of
    those of all shards. auto is all episodes."""
    resume: Switch = False
    """Resume an interrupted benchmark, or extend it. --output-dir alone is enough; or give the original flags."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Print tracebacks."""


STORED = frozenset({"video", "url", "record_dataset", "cameras"})
RUN_ONLY = frozenset({"output_dir", "workers", "cluster", "resume", "quiet", "debug", "timeout", "check"}) | STORED
"""Fields that change how a benchmark is run, but not its results."""
NOT_STORED = RUN_ONLY - STORED
"""Fields that a later run in the same folder does not take from it."""
