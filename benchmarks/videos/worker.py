"""Renders videos and images of episodes from their stored states."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ambidex.benchmarks.results.row import code_at
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.videos.jobs import MissingVideo, StatesError, VideoJob
from ambidex.envs.env import Environment
from ambidex.envs.perturbations.registry import event_step
from ambidex.envs.types import EnvSpec, Episode, FloatArray, ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.environment import stored_environment
from ambidex.recorders.formats.registry import open_episode, read_episode
from ambidex.recorders.video.caption import Caption, stage_label
from ambidex.recorders.video.writer import VideoWriter

MAX_FPS = 30.0  # of a video; at a higher control rate every second or third step is shown [1/s]
OUTCOME_S = 0.6  # how long the last frame is shown, with the outcome [s]

FrameCallback = Callable[[int, int], None]
"""Called after each frame with the number of frames rendered and of all frames of the video."""


def video_stride(control_hz: float) -> int:
    """How many control steps there are between the frames of a video."""
    return max(1, -int(-control_hz // MAX_FPS))


class VideoWorker:
    """Renders videos and images, with one environment at a time. Use it in one thread, and close it there."""

    def __init__(self) -> None:
        self._spec: EnvSpec | None = None
        self._env: Environment | None = None

    def __call__(self, job: VideoJob) -> Path | MissingVideo:
        """Render a video, in a pool of processes; returns its file, or why this one cannot be rendered."""
        try:
            return self.render(job)
        except StatesError as error:
            return MissingVideo(task=job.spec.task, seed=job.seed, states=job.states, reason=str(error))

    def render(self, job: VideoJob, on_frame: FrameCallback = lambda done, total: None) -> Path:
        """Render a video and return its file.

        Raises:
            StatesError: The states are missing, damaged or of another model.
            DatasetError: The file cannot be written.
            RenderingError: There is no OpenGL.
        """
        job, states, stages = _trajectory(job)
        hz = job.spec.control_hz
        stride = video_stride(hz)
        steps = [*range(0, len(states) - 1, stride), len(states) - 1]
        with self._images(job, states) as image_at, VideoWriter(job.video, hz / stride) as video:
            for done, step in enumerate(steps, start=1):
                last = done == len(steps)
                images = {camera: image_at(step, camera) for camera in job.spec.cameras}
                caption = _caption(job, step, int(stages[step]), last=last)
                for _ in range(max(1, round(OUTCOME_S * hz / stride)) if last else 1):
                    video.add(images, caption)
                on_frame(done, len(steps))
        return job.video

    def render_end(self, job: VideoJob) -> ImageArray:
        """The last frame of an episode from the job's first camera, (H, W, 3) uint8 RGB; raises as `render` does."""
        job, states, _ = _trajectory(job)
        with self._images(job, states) as image_at:
            return image_at(len(states) - 1, job.spec.cameras[0])

    @contextmanager
    def _images(self, job: VideoJob, states: FloatArray) -> Iterator[Callable[[int, str], ImageArray]]:
        """Gives the image of a camera at a step: rendered, or the stored one if there are no states."""
        if states.shape[1]:
            env = self._environment(job, states)
            env.perturb(job.seed, event_step=job.event_step)
            yield lambda step, camera: env.image_at(states, step, camera)
            return
        with open_episode(job.states) as stored:
            yield lambda step, camera: stored.frame(camera, min(step, stored.steps - 1))

    def close(self) -> None:
        """Free the OpenGL context. Safe to call twice."""
        if self._env is not None:
            self._env.close()
        self._spec = self._env = None

    def _environment(self, job: VideoJob, states: FloatArray) -> Environment:
        if self._env is None or self._spec != job.spec:
            self.close()
            self._env, self._spec = stored_environment(job.spec, job.states), job.spec
        size = self._env.scene.state().size
        if states.shape[1] != size:
            raise StatesError(
                f"{job.states}: a state has {states.shape[1]} numbers, but {size} in this version of {job.spec.task}.",
                "Render it with the version of ambidex that ran it.",
                path=job.states,
                got=states.shape[1],
                expected=size,
            )
        return self._env


def _trajectory(job: VideoJob) -> tuple[VideoJob, FloatArray, npt.NDArray[np.int8]]:
    """The job with the perturbations of its episode, states (T+1, S), and the stage at each (T+1,).

    Episodes of a dataset have perturbations of their own, as some may be clean.
    """
    path, last = job.states, len(job.spec.stages) - 1
    try:
        stored = EpisodeStates.read(path) if path.suffix == ".npz" else read_episode(path)
    except DatasetError as error:
        raise StatesError(error.problem, error.hint, **error.facts) from error
    if not ((stored.stages >= 0) & (stored.stages <= last)).all():
        problem = f"{path}: it has stages {stored.stages.min()} to {stored.stages.max()}, expected 0 to {last}."
        raise StatesError(problem, "Restore the file from a copy.", path=path, expected=last)
    if isinstance(stored, Episode):
        spec = replace(job.spec, perturb=stored.spec.perturb)
        job = replace(job, spec=spec, event_step=event_step(stored.perturbed))
    return job, stored.states, stored.stages


def _caption(job: VideoJob, step: int, stage: int, *, last: bool) -> Caption:
    return Caption(
        task=job.spec.task,
        seed=job.seed,
        time_s=step / job.spec.control_hz,
        stage=stage_label(job.spec.stages, stage),
        outcome=str(job.outcome) if last else "",
        code=code_at(job.codes, step),
        perturb=job.spec.perturb,
    )
