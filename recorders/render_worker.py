"""What a worker process of `render-episodes` does."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError
from ambidex.recorders.attempt import Attempt
from ambidex.recorders.destination import Destination
from ambidex.recorders.formats import format_named, read_episode
from ambidex.recorders.layout import Layout
from ambidex.recorders.rendered_episode import write_rendered_episode
from ambidex.recorders.stored_world import world_of


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """Render one episode again.

    Attributes:
        source: The episode to read.
        destination: Where the new files go.
        attempt: What it was.
    """

    source: Path
    destination: Destination
    attempt: Attempt


class RenderWorker:
    """Renders the states of stored episodes.

    Args:
        spec: The new dataset's; decides what is rendered and how.
        layout: How the new files lie.
        pixels: Anything will be rendered.
        source: The dataset to read.

    Raises:
        RenderingError: Pixels are asked for, and there is no OpenGL context to be had.
    """

    def __init__(self, spec: EnvSpec, layout: Layout, pixels: bool, source: Path) -> None:
        self._spec, self._layout = spec, layout
        self._writer = format_named(layout.format)
        self._env = world_of(spec, source)
        self._video_cameras = spec.cameras or FAMILIES[spec.family].cameras
        if pixels:  # at once, and not after the first file
            self._env.render(self._env.scene.state(), self._video_cameras[0])

    def __call__(self, job: RenderJob) -> int:
        """Render an episode; returns the bytes written.

        Raises:
            DatasetError: The file is damaged or of another world, or the disk refuses.
        """
        episode = read_episode(job.source)
        present, recorded = self._env.scene.state().size, episode.states.shape[1]
        if present != recorded:
            raise DatasetError(
                f"{job.source}: a state has {recorded} numbers, but in this version of {episode.spec.task} {present}. "
                f"Use the version that recorded it: {dict(episode.versions)}."
            )
        new = self._spec
        spec = replace(episode.spec, cameras=new.cameras, image_size=new.image_size, render_quality=new.render_quality)
        rendered = replace(episode, spec=spec)
        return write_rendered_episode(
            self._env, rendered, job.destination, self._layout, self._writer, self._video_cameras
        )
