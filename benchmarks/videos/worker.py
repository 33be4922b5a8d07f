"""Makes videos and stills of episodes from their stored states."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ambidex.benchmarks.results.folder import EpisodeStates
from ambidex.benchmarks.results.row import code_at
from ambidex.benchmarks.videos.jobs import MissingVideo, StatesError, VideoJob
from ambidex.envs.env import Environment
from ambidex.envs.types import EnvSpec, FloatArray, ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.environment import world_of
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.video.caption import Caption, stage_words
from ambidex.recorders.video.writer import VideoWriter

MOST_FPS = 30.0  # of a video; of faster control every second or third step is shown [1/s]
OUTCOME_S = 0.6  # how long the last moment stands, with the outcome [s]
FrameCallback = Callable[[int, int], None]
"""Hears how many pictures of a video are done, and of how many."""


class VideoWorker:
    """Makes videos and stills, with one environment at a time. Use it in one thread, and close it there."""

    def __init__(self) -> None:
        self._spec: EnvSpec | None = None
        self._env: Environment | None = None

    def __call__(self, job: VideoJob) -> Path | MissingVideo:
        """Make a video; returns where it is, or why this one cannot be made. For a pool of processes."""
        try:
            return self.render(job)
        except StatesError as error:
            return MissingVideo(task=job.spec.task, seed=job.seed, states=job.states, reason=str(error))

    def render(self, job: VideoJob, on_frame: FrameCallback = lambda done, total: None) -> Path:
        """Make a video; returns where it is.

        Raises:
            StatesError: The states are missing, damaged or of another world.
            DatasetError: The disk refuses.
            RenderingError: There is no OpenGL.
        """
        states, stages = _trajectory(job.states)
        env, hz = self._environment(job, states), job.spec.control_hz
        stride = max(1, -int(-hz // MOST_FPS))
        moments = [*range(0, len(states) - 1, stride), len(states) - 1]
        with VideoWriter(job.video, hz / stride) as video:
            for done, t in enumerate(moments, start=1):
                last = done == len(moments)
                pictures = {camera: env.render(states[t], camera) for camera in job.spec.cameras}
                caption = _caption(job, t, int(stages[t]), last=last)
                for _ in range(max(1, round(OUTCOME_S * hz / stride)) if last else 1):
                    video.add(pictures, caption)
                on_frame(done, len(moments))
        return job.video

    def render_end(self, job: VideoJob) -> ImageArray:
        """The end of an episode from the job's first camera, shape (H, W, 3) uint8 RGB.

        Raises:
            StatesError: The states are missing, damaged or of another world.
            RenderingError: There is no OpenGL.
        """
        states, _ = _trajectory(job.states)
        return self._environment(job, states).render(states[-1], job.spec.cameras[0])

    def close(self) -> None:
        """Free the OpenGL context. Safe to call twice."""
        if self._env is not None:
            self._env.close()
        self._spec = self._env = None

    def _environment(self, job: VideoJob, states: FloatArray) -> Environment:
        if self._env is None or self._spec != job.spec:
            self.close()
            self._env, self._spec = world_of(job.spec, job.states), job.spec
        size = self._env.scene.state().size
        if states.shape[1] != size:
            raise StatesError(
                f"{job.states}: a state has {states.shape[1]} numbers, but in this version of {job.spec.task} {size}. "
                "Watch it with the version of ambidex that made it."
            )
        return self._env


def _trajectory(path: Path) -> tuple[FloatArray, npt.NDArray[np.int8]]:
    """States (T+1, S) and the stage at each (T+1,)."""
    try:
        stored = EpisodeStates.read(path) if path.suffix == ".npz" else read_episode(path)
    except DatasetError as error:
        raise StatesError(str(error)) from error
    return stored.states, stored.stages


def _caption(job: VideoJob, t: int, stage: int, *, last: bool) -> Caption:
    return Caption(
        task=job.spec.task,
        seed=job.seed,
        time_s=t / job.spec.control_hz,
        stage=stage_words(job.spec.stages, stage),
        outcome=str(job.outcome) if last else "",
        code=code_at(job.codes, t),
    )
