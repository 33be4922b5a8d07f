"""The flags of `record-episodes`, which are also the arguments of `record`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

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
    readable_signature,
)
from ambidex.recorders.dataset.layout import WriteOptions

Storage = Annotated[OptionalName, tyro.conf.arg(metavar="{lossless,jpeg,jpeg-bgr,raw,h264,av1}")]
Spread = Annotated[str, tyro.conf.arg(metavar="{published,wide}")]
Dynamics = Annotated[str, tyro.conf.arg(metavar="{identified,act}")]
Quality = Annotated[str, tyro.conf.arg(metavar="{standard,studio}")]
Videos = Annotated[str, tyro.conf.arg(metavar="{none,first,all}")]
Convention = Annotated[str, tyro.conf.arg(metavar="{upright,opengl}")]
ShardName = Annotated[OptionalName, tyro.conf.arg(metavar="I/N")]
Success = Annotated[str, tyro.conf.arg(metavar="{strict,libero}")]


@readable_signature
@dataclass(frozen=True, kw_only=True)
class RecordConfig(Flags):
    """Record episodes of a task's scripted expert into a dataset.

    Seeds are attempted one after the other until enough have succeeded. Successful episodes alone are rendered and
    stored, in the order of their seeds: as episode_0.hdf5, episode_1.hdf5, ... in the act format, as TASK_demo.hdf5 in
    the libero format, as a LeRobot dataset in the lerobot format. attempts.jsonl lists every attempt.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "task num_episodes output_dir cameras image_size workers cluster resume list",
        "Task": "mirrored bddl_file instruction_source init_states success spread dynamics",
        "Attempts": "control noise perturb perturb_mix seed max_attempts keep_failures shard",
        "Images and files": "render_quality storage format image_convention video",
        "Output": "quiet debug",
    }

    task: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    """A task or a suite, as --list prints them; required unless --bddl-file is given."""
    mirrored: bool = False
    """The mirror image of a two-armed task: left and right exchanged. Its name ends in _mirrored."""
    bddl_file: OptionalPath = None
    """A BDDL definition, your own or one of LIBERO's, as the task."""
    instruction_source: OptionalName = None
    """Where the instruction of a BDDL file is from: filename, as in LIBERO, or language, its section; auto is filename,
    with a note if a file of your own names another one."""
    num_episodes: int = 50
    """Successful episodes to store per task."""
    output_dir: OptionalPath = None
    """Dataset folder, for a suite the folder of its datasets; auto is data/TASK."""
    init_states: OptionalPath = None
    """File of LIBERO's own initial states (.init, .pruned_init): seed S uses state S modulo their number."""
    success: Success = "strict"
    """What counts: strict also requires objects to be released and at rest; libero is the goal alone, at any step."""
    control: OptionalName = None
    """Control mode of the expert: joint or ee; auto is the family's."""
    cameras: Names = None
    """Cameras to render; none records states only, auto is the family's."""
    image_size: ImageSize = None
    """Height and width of images [px]; auto is the family's."""
    render_quality: Quality = "standard"
    """standard is fast; studio has shadows and smooth edges."""
    storage: Storage = None
    """How images are stored: lossless; jpeg, smaller; jpeg-bgr, as mobile-aloha's loaders expect; raw; in the lerobot
    format h264 or av1. Auto is lossless, or h264."""
    format: OptionalName = None
    """File format: act, libero or lerobot; auto is the family's."""
    image_convention: Convention = "upright"
    """Order of the rows of images in the libero format: opengl stores the lowest first, as LIBERO's own files do."""
    spread: Spread = "published"
    """Distribution of initial states: the published one, or a wider one."""
    dynamics: Dynamics = "identified"
    """Friction and gains of the arms: identified on the real ones, or for ALOHA's tasks act, those of the original ACT
    simulation."""
    noise: float = 0.0
    """How much demonstrations differ; 0 not at all, 1 moves waypoints by about a centimetre."""
    perturb: Axes = ()
    """Perturb the episodes: axes with a level of 1 to 5, as of `run-benchmark`, which lists them; without a level it is
    3."""
    perturb_mix: float = 1.0
    """With --perturb, the share of episodes that are perturbed, 0 to 1; their seeds decide which."""
    seed: int = 0
    """First seed, 0 to 99999."""
    max_attempts: OptionalInt = None
    """Seeds to attempt at most per task; auto is 2 x num-episodes + 20."""
    keep_failures: bool = False
    """Store failed attempts too, as failures/episode_SEED.hdf5."""
    shard: ShardName = None
    """Attempt only shard I of N of the first num-episodes seeds of each task, for merge-datasets to join. Failures are
    not replaced."""
    video: Videos = "none"
    """Make videos/episode_I_success.mp4 of no, the first or all stored episodes."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging. On a cluster they
    are Ray actors."""
    cluster: Cluster = None
    """Work on a Ray cluster; auto is worker processes of this machine. ray is the cluster of RAY_ADDRESS or of this
    machine, and is started if there is none; ray://HOST:PORT is another one."""
    resume: Switch = False
    """Resume an interrupted dataset, or extend a complete one. Without a task, flags that are not given are those with
    which the dataset in --output-dir was recorded."""
    list: Switch = False
    """Print the tasks and exit: one line per suite, or with --task SUITE one per task of it."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""

    @property
    def write_options(self) -> WriteOptions:
        """How episode files are written, once every default is filled in."""
        return WriteOptions(format=str(self.format), storage=str(self.storage), image_convention=self.image_convention)

    @property
    def renders(self) -> bool:
        """Whether images or videos are made, once every default is filled in."""
        return bool(self.cameras) or self.video != "none"


RUN_ONLY = frozenset({"output_dir", "workers", "cluster", "resume", "list", "quiet", "debug"})
"""Flags that do not change what is in a dataset."""
