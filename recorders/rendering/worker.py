"""What a worker process of `render-episodes` does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.environment import world_of
from ambidex.recorders.dataset.layout import Destination, Layout
from ambidex.recorders.formats.registry import DatasetFormat, format_named, read_episode
from ambidex.recorders.video.caption import Caption, stage_words
from ambidex.recorders.video.writer import VideoWriter


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


# FOLDED recorders.rendered_episode: Renders an episode from its states and writes it, with its video if one is wanted.


def write_rendered_episode(
    env: Environment,
    episode: Episode,
    destination: Destination,
    layout: Layout,
    writer: DatasetFormat,
    video_cameras: Sequence[str],
) -> int:
    """Write an episode's files. Every frame is rendered once, and none is held longer than its step.

    Args:
        env: Renders; its cameras, image size and quality are those of the episode's spec.
        episode: What to write.
        destination: Where.
        layout: How.
        writer: The format of the layout.
        video_cameras: What the video shows if the episode stores no images.

    Returns:
        Size of the files [B].

    Raises:
        DatasetError: The disk refuses.
    """
    frames = {camera: _frames(env, episode, camera) for camera in episode.spec.cameras}
    if destination.video is None:
        writer.write(destination.episode, episode, frames, layout, env)
        return destination.size
    with VideoWriter(destination.video, episode.spec.control_hz) as video:

        def add(t: int, images: Mapping[str, ImageArray]) -> None:
            video.add(images, caption(episode, t))

        writer.write(destination.episode, episode, frames, layout, env, on_step=add if frames else None)
        if not frames:
            for t, state in enumerate(episode.states[:-1]):
                add(t, {camera: env.render(state, camera) for camera in video_cameras})
    return destination.size


def caption(episode: Episode, t: int) -> Caption:
    """What a video says at the moment before action t; the outcome is known at the last one."""
    return Caption(
        task=episode.spec.task,
        seed=episode.seed,
        time_s=t / episode.spec.control_hz,
        stage=stage_words(episode.spec.stages, int(episode.stages[t])),
        outcome=str(episode.outcome) if t == episode.steps - 1 else "",
    )


def _frames(env: Environment, episode: Episode, camera: str) -> Iterator[ImageArray]:
    return (env.render(state, camera) for state in episode.states[:-1])
