"""The flags of `record-episodes`, which are also the arguments of `record`."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from ambidex.flags import ImageSize, Names, OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.recorders.dataset.layout import Layout

Storage = Annotated[str, tyro.conf.arg(metavar="{lossless,jpeg,raw}")]
Spread = Annotated[str, tyro.conf.arg(metavar="{published,wide}")]
Quality = Annotated[str, tyro.conf.arg(metavar="{standard,studio}")]
Videos = Annotated[str, tyro.conf.arg(metavar="{none,first,all}")]
Convention = Annotated[str, tyro.conf.arg(metavar="{upright,opengl}")]
Success = Annotated[str, tyro.conf.arg(metavar="{strict,libero}")]


@dataclass(frozen=True, kw_only=True)
class RecordConfig:
    """Record episodes of a task's scripted expert into a dataset.

    Seeds are attempted one after the other until enough have succeeded; only those are rendered and written, in the
    order of their seeds: as episode_0.hdf5, episode_1.hdf5, ... in the act format, as TASK_demo.hdf5 in the libero
    format. attempts.jsonl lists every attempt.
    """

    task: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    """A task or a suite; --list shows them. This or --bddl-file must be given."""
    bddl_file: OptionalPath = None
    """A BDDL definition of your own, or one of LIBERO's, as the task."""
    num_episodes: int = 50
    """Episodes to keep per task: successful ones."""
    output_dir: OptionalPath = None
    """Dataset folder; a suite makes one folder per task in it. auto is data/TASK."""
    init_states: OptionalPath = None
    """File of LIBERO's own initial states (.init, .pruned_init) to start from: seed S takes state S modulo their
    number."""
    success: Success = "strict"
    """What counts: strict also wants the things released and at rest; libero is the goal alone, at any one step."""
    control: OptionalName = None
    """Control mode of the expert: joint or ee; auto is the family's."""
    cameras: Names = None
    """Cameras to render; none records states only, auto is the family's."""
    image_size: ImageSize = None
    """Height and width of images [px]; auto is the family's."""
    render_quality: Quality = "standard"
    """standard is fast; studio has shadows and smooth edges."""
    storage: Storage = "lossless"
    """How images are stored."""
    format: OptionalName = None
    """File format: act or libero; auto is the family's."""
    image_convention: Convention = "upright"
    """Order of the rows of images in the libero format: opengl stores the lowest first, as LIBERO's own files do."""
    spread: Spread = "published"
    """Reset distribution: the published one, or a wider one."""
    noise: float = 0.0
    """How much demonstrations differ; 0 not at all, 1 moves waypoints by about a centimetre."""
    seed: int = 0
    """First seed, 0 to 99999."""
    max_attempts: OptionalInt = None
    """Seeds to attempt at most per task; auto is 2 x num-episodes + 20."""
    keep_failures: bool = False
    """Keep failed attempts too, as failures/episode_SEED.hdf5."""
    video: Videos = "none"
    """Make videos/episode_I_success.mp4 of no, the first or all kept episodes."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    resume: Switch = False
    """Go on with a dataset that was interrupted, or extend it. Without a task, flags not given are those with which the
    one in --output-dir was recorded."""
    list: Switch = False
    """Print the tasks and leave: one line per suite, or with --task SUITE one per task of it."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""

    @property
    def layout(self) -> Layout:
        """How the dataset lies on disk, once every default is filled in."""
        return Layout(format=str(self.format), storage=self.storage, image_convention=self.image_convention)


RUN_ONLY = frozenset({"output_dir", "workers", "resume", "list", "quiet", "debug"})
"""Fields that change how a dataset is recorded, but not what is in it."""
