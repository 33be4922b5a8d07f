"""What a worker process of `render-episodes` and `convert-dataset` does."""

from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.env import Environment
from ambidex.envs.types import EnvSpec
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.environment import check_fits, stored_environment
from ambidex.recorders.dataset.layout import EpisodeFiles, WriteOptions
from ambidex.recorders.formats.registry import format_named, open_episode
from ambidex.recorders.recording.worker import EpisodeWriter
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.looks import image_axes, rendered_axes


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """An episode to render again or convert.

    Attributes:
        source: The episode.
        files: The files to write.
        attempt: The attempt that the new episode is of, with its look and draws.
        source_episode: See `Episode`; None for that of the source.
    """

    source: Path
    files: EpisodeFiles
    attempt: Attempt
    source_episode: int | None = None


class RenderWorker:
    """Renders the states of stored episodes of the source; cameras, image size and quality are those of the new spec.

    Args:
        spec: The spec of the new dataset.
        options: How to write files.
        source: The dataset to read.
        renders: Images or videos are made.
        axes: Axes that the images of all episodes have; None for those of their recording.
        copies: The images are those that are stored.

    Raises:
        RenderingError: Images or videos are made, and no OpenGL context can be created.
    """

    def __init__(
        self,
        spec: EnvSpec,
        options: WriteOptions,
        source: Path,
        *,
        renders: bool,
        axes: tuple[str, ...] | None = None,
        copies: bool = False,
    ) -> None:
        self._spec, self._options, self._source = spec, options, source
        self._renders, self._axes, self._copies = renders and not copies, axes, copies
        self._made: dict[tuple[str, ...], tuple[Environment, EpisodeWriter]] = {}
        self._environment(spec.perturb)

    def __call__(self, job: RenderJob) -> None:
        """Render or copy an episode.

        Raises:
            DatasetError: The file is damaged or of another version of the scene, or cannot be written.
        """
        with open_episode(job.source) as stored:
            spec = rendered_spec(stored.spec, self._spec)
            spec = replace(spec, perturb=rendered_axes(self._axes, spec.perturb))
            env, writer = self._environment(spec.perturb)
            check_fits(stored, env)
            episode = replace(stored.episode, spec=spec)
            if self._axes is not None:
                number = episode.source_episode if job.source_episode is None else job.source_episode
                drawn, look = job.attempt.perturbed, job.attempt.look
                episode = replace(episode, perturbed=drawn, look=look, source_episode=number)
            frames = {camera: stored.frames(camera) for camera in stored.cameras} if self._copies else None
            writer.write(episode, job.files, frames)

    def _environment(self, axes: tuple[str, ...]) -> tuple[Environment, EpisodeWriter]:
        """The environment of episodes with these axes, and its writer."""
        of_images = () if self._copies else image_axes(axes)
        if of_images not in self._made:
            env = stored_environment(replace(self._spec, perturb=of_images), self._source)
            self._made[of_images] = env, EpisodeWriter(env, self._options, renders=self._renders)
        return self._made[of_images]


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
