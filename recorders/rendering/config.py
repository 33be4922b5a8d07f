"""The flags of `render-episodes` and `convert-dataset`, which are also the arguments of `render` and `convert`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tyro

from ambidex.flags import ImageSize, Names, OptionalAxes, OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.recording.config import Convention, Storage, Videos


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """Render the stored states of a dataset again, with other cameras, sizes, quality or looks, into a new dataset.

    Episodes, actions, states and attempts.jsonl stay the same, but for what --perturb and --looks change; the source
    dataset is not changed.
    """

    command: ClassVar[str] = "render-episodes"
    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "path output_dir cameras image_size render_quality workers resume",
        "Perturbations": "perturb looks",
        "Images and files": "storage format image_convention video",
        "Output": "quiet debug",
    }

    path: tyro.conf.Positional[Path]
    """The dataset folder to read."""
    output_dir: OptionalPath = None
    """The dataset folder to write; auto is PATH-rendered, beside the one that is read."""
    cameras: Names = None
    """Cameras to render; none leaves the images out, auto is those of the dataset."""
    image_size: ImageSize = None
    """Height and width of images [px]; auto is that of the dataset."""
    render_quality: OptionalName = None
    """standard is fast, studio has shadows and smooth edges; auto is that of the dataset."""
    perturb: OptionalAxes = None
    """Perturb the images: axes with a level of 1 to 5, such as camera:3 light; without a level it is 3. Only axes that
    change images and nothing else, because the states are given: camera, wrist_camera, fov, light, object_colour,
    background, sensor and lag. They replace those of the recording; none leaves these out, auto keeps them."""
    looks: int = 1
    """Copies of each episode, each with draws of its own for --perturb."""
    storage: Storage = None
    """How images are stored, h264 and av1 in the lerobot format only; auto is that of the dataset, or in another format
    that format's own."""
    format: OptionalName = None
    """File format: act, libero or lerobot; auto is that of the dataset."""
    image_convention: Convention = "upright"
    """Order of the rows of images in the libero format: opengl stores the lowest first, as LIBERO's own files do."""
    video: Videos = "none"
    """Make videos/episode_I_success.mp4 of no, the first or all episodes."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    resume: Switch = False
    """Resume a rendering that was interrupted."""
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


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """Convert a dataset into another format, with the images that it has.

    Episodes, actions, states and attempts.jsonl stay the same; the source dataset is not changed. Images are the same
    too, unless the new format or --storage compresses them with loss. With --describe nothing is converted.
    """

    command: ClassVar[str] = "convert-dataset"
    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "path format output_dir storage image_convention workers resume",
        "Datasets of other programs": "describe preset",
        "Output": "quiet debug",
    }

    path: tyro.conf.Positional[Path]
    """The dataset folder to read."""
    format: OptionalName = None
    """File format to write: act, libero or lerobot. It must be given, unless --describe is."""
    describe: Switch = False
    """Write dataset.toml beside the HDF5 files of another program, in which you say what they do not: robot, rate, what
    actions mean. All commands read it. An existing one is not overwritten."""
    preset: OptionalName = None
    """With --describe, what is known of the files: aloha_sim, aloha or mobile_aloha; libero (as published),
    libero_regenerated (by OpenVLA's script) or panda (robomimic)."""
    output_dir: OptionalPath = None
    """The dataset folder to write; auto is PATH-FORMAT, beside the one that is read."""
    storage: Storage = None
    """How images are stored, h264 and av1 in the lerobot format only; auto is lossless, or h264."""
    image_convention: Convention = "upright"
    """Order of the rows of images in the libero format: opengl stores the lowest first, as LIBERO's own files do."""
    workers: OptionalInt = None
    """Worker processes; auto is one per usable CPU, 0 works in this process, for debugging."""
    resume: Switch = False
    """Resume a conversion that was interrupted."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""

    @property
    def rendering(self) -> RenderConfig:
        """The same as flags of `render-episodes`, which would render the images again."""
        values = {name: getattr(self, name) for name in ("path", "output_dir", "storage", "format", "image_convention")}
        return RenderConfig(**values, workers=self.workers, resume=self.resume, quiet=self.quiet, debug=self.debug)
