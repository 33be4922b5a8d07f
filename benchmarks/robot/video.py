"""The video of a rollout, from the robot's own cameras, written while it acts."""

from pathlib import Path
from types import TracebackType
from typing import Self

from ambidex.atomic_files import TEMPORARY
from ambidex.benchmarks.videos.worker import video_stride
from ambidex.envs.types import EnvSpec, Observation
from ambidex.recorders.video.caption import Caption
from ambidex.recorders.video.writer import VideoWriter


class RolloutVideo:
    """Writes a video; the file exists once the `with` block has ended, if a frame was added.

    It has the name of a temporary file until `keep`, because the outcome, which is in its name, is judged later.

    Args:
        folder: Where to write it.
        spec: Task and control rate of the rollout.
        seed: Its number.
        cameras: Names of the cameras, shown side by side.
    """

    def __init__(self, folder: Path, spec: EnvSpec, seed: int, cameras: tuple[str, ...]) -> None:
        self.path = pending_video(folder, seed)
        self._spec, self._seed, self._cameras = spec, seed, cameras
        self._stride = video_stride(spec.control_hz)
        self._writer: VideoWriter | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, observation: Observation, step: int) -> None:
        """Add the images of a step, of every second or third one at a high control rate."""
        if step % self._stride or not self._cameras:
            return
        if self._writer is None:
            self._writer = VideoWriter(self.path, self._spec.control_hz / self._stride).__enter__()
        images = {camera: observation.image(camera) for camera in self._cameras}
        caption = Caption(task=self._spec.task, seed=self._seed, time_s=observation.time, stage="", outcome="")
        self._writer.add(images, caption)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)


def pending_video(folder: Path, seed: int) -> Path:
    """The video of a rollout that has no verdict yet; a later session removes it."""
    return folder / f".{seed}{TEMPORARY}pending.mp4"
