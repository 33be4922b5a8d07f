"""What a worker process of `render-episodes` and `convert-dataset` does."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.environment import check_fits, stored_environment
from ambidex.recorders.dataset.layout import EpisodeFiles, WriteOptions
from ambidex.recorders.formats.registry import format_named, open_episode
from ambidex.recorders.recording.worker import EpisodeWriter
from ambidex.recorders.rendering.config import RenderConfig


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """An episode to render again or convert, the files to write, and the attempt that the episode is of."""

    source: Path
    files: EpisodeFiles
    attempt: Attempt


class RenderWorker:
    """Renders the states of stored episodes of the source; cameras, image size and quality are those of the new spec.

    If it copies, the images are those that are stored.

    Raises:
        RenderingError: Images or videos are made, and no OpenGL context can be created.
    """

    def __init__(self, spec: EnvSpec, options: WriteOptions, source: Path, *, renders: bool, copies: bool) -> None:
        self._env = stored_environment(spec, source)
        self._spec, self._copies = spec, copies
        self._writer = EpisodeWriter(self._env, options, renders=renders and not copies)

    def __call__(self, job: RenderJob) -> None:
        """Render or copy an episode.

        Raises:
            DatasetError: The file is damaged or of another version of the scene, or cannot be written.
        """
        with open_episode(job.source) as stored:
            check_fits(stored, self._env)
            episode = replace(stored.episode, spec=rendered_spec(stored.spec, self._spec))
            frames = {camera: stored.frames(camera) for camera in stored.cameras} if self._copies else None
            self._writer.write(episode, job.files, frames)


def rendered_spec(spec: EnvSpec, choice: EnvSpec | RenderConfig) -> EnvSpec:
    """A spec with the cameras, image size and render quality of another, or of flags without defaults."""
    return replace(
        spec,
        cameras=choice.cameras or (),
        image_size=choice.image_size or spec.image_size,
        render_quality=choice.render_quality or spec.render_quality,
    )


class CopyWorker:
    """Converts episodes without simulation states. Each gets the number of its attempt as seed.

    Args:
        spec: The spec of the new dataset.
        options: How to write files.
    """

    def __init__(self, spec: EnvSpec, options: WriteOptions) -> None:
        self._spec, self._options, self._format = spec, options, format_named(options.format)

    def __call__(self, job: RenderJob) -> None:
        """Convert an episode.

        Raises:
            DatasetError: The file is damaged, or cannot be written.
        """
        with open_episode(job.source) as stored:
            spec = replace(self._spec, instruction=stored.spec.instruction)
            episode = replace(stored.episode, spec=spec, seed=job.attempt.seed)
            frames = {camera: stored.frames(camera) for camera in stored.cameras}
            self._format.write(job.files.episode, episode, frames, self._options, None)
