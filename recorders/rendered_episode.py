"""Renders an episode from its states and writes it, with its video if one is wanted."""

from collections.abc import Iterator, Mapping, Sequence

from ambidex.envs.env import Environment
from ambidex.envs.types import Episode, ImageArray
from ambidex.recorders.caption import Caption, stage_words
from ambidex.recorders.dataset_format import DatasetFormat
from ambidex.recorders.destination import Destination
from ambidex.recorders.layout import Layout
from ambidex.recorders.video import VideoWriter


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
