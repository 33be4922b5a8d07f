"""The flags of `render-episodes`, which are also the arguments of `render`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import tyro

from ambidex.flags import ImageSize, Names, OptionalInt, OptionalName, OptionalPath, Switch
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.recording.config import Convention, Videos


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """Render the stored states of a dataset again, with other cameras, sizes or quality, into a new dataset.

    Episodes, actions, states and attempts.jsonl stay the same; the source dataset is not changed.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "path output_dir cameras image_size render_quality workers resume",
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
    storage: OptionalName = None
    """How images are stored: lossless, jpeg, jpeg-bgr or raw; auto is that of the dataset."""
    format: OptionalName = None
    """File format: act or libero; auto is that of the dataset."""
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
