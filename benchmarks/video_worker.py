"""What a worker process does that films benchmarked episodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.episode_states import EpisodeStates, states_path
from ambidex.benchmarks.results_folder import video_path
from ambidex.envs.env import Environment, make
from ambidex.envs.errors import DatasetError
from ambidex.envs.families import FAMILIES
from ambidex.envs.types import EnvSpec
from ambidex.recorders.video import Caption, VideoWriter

MOST_FPS = 30.0  # of a video; of faster control every second or third step is shown [1/s]
OUTCOME_S = 0.6  # how long the last moment stands, with the outcome [s]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How episodes are filmed.

    Attributes:
        cameras: Camera names; empty for the first of the family.
        image_size: Of each camera [px].
        quality: "standard" or "studio".
    """

    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    quality: str


class VideoWorker:
    """Films episodes from their states.

    Args:
        directory: The results folder.
        specs: Task -> spec of the environment.
        look: How to film.
    """

    def __init__(self, directory: Path, specs: Mapping[str, EnvSpec], look: Look) -> None:
        self._directory, self._specs, self._look = directory, specs, look
        self._env: Environment | None = None

    def __call__(self, row: EpisodeRow) -> Path:
        """Make the video of an episode; returns where it is.

        Raises:
            DatasetError: The states are missing, damaged or of another world, or the disk refuses.
        """
        env = self._environment(row.task)
        path = states_path(self._directory, row.task, row.seed)
        episode, size = EpisodeStates.read(path), env.scene.state().size
        if episode.states.shape[1] != size:
            raise DatasetError(
                f"{path}: a state has {episode.states.shape[1]} numbers, but in this version of {row.task} {size}. Use "
                f"the version that ran it: {dict(row.versions)}."
            )
        target = video_path(self._directory, row)
        self._film(env, row, episode, target)
        return target

    def _film(self, env: Environment, row: EpisodeRow, episode: EpisodeStates, target: Path) -> None:
        hz, last = env.spec.control_hz, len(episode.states) - 1
        stride = max(1, -int(-hz // MOST_FPS))
        with VideoWriter(target, hz / stride) as video:
            for t in range(0, last, stride):
                stage = env.spec.stages[int(episode.stages[t])]
                caption = Caption(task=row.task, seed=row.seed, time_s=t / hz, stage=stage, outcome="")
                video.add({name: env.render(episode.states[t], name) for name in env.spec.cameras}, caption)
            stage = env.spec.stages[int(episode.stages[last])]
            caption = Caption(task=row.task, seed=row.seed, time_s=last / hz, stage=stage, outcome=str(row.outcome))
            frames = {name: env.render(episode.states[last], name) for name in env.spec.cameras}
            for _ in range(max(1, round(OUTCOME_S * hz / stride))):
                video.add(frames, caption)

    def _environment(self, task: str) -> Environment:
        if self._env is None or self._env.spec.task != task:
            if self._env is not None:
                self._env.close()
            spec, look = self._specs[task], self._look
            self._env = make(
                task,
                control=spec.control,
                cameras=look.cameras or FAMILIES[spec.family].cameras[:1],
                image_size=look.image_size,
                render_quality=look.quality,
                spread=spec.spread,
            )
        return self._env
