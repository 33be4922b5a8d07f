"""What a worker process of `record-episodes` does: roll out seeds, and render and write episodes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.perturbations.perturbation import is_perturbed
from ambidex.envs.perturbations.registry import event_step
from ambidex.envs.registry import FAMILIES
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent, EnvSpec, Episode, Float32Array, ImageArray, RolloutResult
from ambidex.output_folder import versions
from ambidex.recorders.dataset.layout import EpisodeFiles, WriteOptions
from ambidex.recorders.formats.images import Frames
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.video.caption import Caption, stage_label
from ambidex.recorders.video.writer import VideoWriter

AgentFactory = Callable[[Environment], Agent]


@dataclass(frozen=True, kw_only=True, eq=False)
class WriteJob:
    """The attempt to render and write, and the files to write."""

    result: RolloutResult
    files: EpisodeFiles

    def relative_to(self, directory: Path) -> "WriteJob":
        """The same job with paths relative to the folder of the dataset, which workers on other nodes do not have."""
        return replace(self, files=self.files.relative_to(directory))


RecordJob = int | WriteJob
"""A seed to attempt, or an attempt to render and write."""


class RecordWorker:
    """Does the jobs of one recording. Clean and perturbed episodes have environments and agents of their own.

    Args:
        spec: Spec of the perturbed episodes; or of all, if none is perturbed.
        options: How episode files are written.
        agent_factory: Makes the agent of an environment.
        directory: The folder of the dataset.
        renders: Images or videos are made.
        mix: Share of the episodes that are perturbed, 0 to 1.

    Raises:
        UsageError: A file that the environment is made from has changed since the recording started.
        RenderingError: Images or videos are made, and no OpenGL context can be created.
    """

    def __init__(
        self,
        spec: EnvSpec,
        options: WriteOptions,
        agent_factory: AgentFactory,
        directory: Path,
        *,
        renders: bool,
        mix: float = 1.0,
    ) -> None:
        self._axes, self._mix, self._directory = spec.perturb, mix, directory
        used = {*([spec.perturb] if mix > 0.0 else []), *([()] if mix < 1.0 else [])}
        self._recorders = {
            axes: _Recorder(replace(spec, perturb=axes), options, agent_factory, renders=renders) for axes in used
        }

    def __call__(self, job: RecordJob) -> RolloutResult | None:
        """Do a job; returns the result of a rollout."""
        recorder = self._recorders[self._axes if is_perturbed(_seed(job), self._mix) else ()]
        if isinstance(job, WriteJob):
            recorder.write(job.result, job.files.within(self._directory))
            return None
        return recorder.attempt(job)


def _seed(job: RecordJob) -> int:
    return job.result.seed if isinstance(job, WriteJob) else job


class _Recorder:
    """Records clean or perturbed episodes, with one environment and one agent for all of them."""

    def __init__(self, spec: EnvSpec, options: WriteOptions, agent_factory: AgentFactory, *, renders: bool) -> None:
        self._env = make_from_spec(spec)
        self._agent = agent_factory(self._env)
        self._stop_at_success = FAMILIES[spec.family].stops_at_success
        self._writer = EpisodeWriter(self._env, options, renders=renders)

    def attempt(self, seed: int) -> RolloutResult:
        return rollout(self._env, self._agent, seed, stop_at_success=self._stop_at_success)

    def write(self, result: RolloutResult, files: EpisodeFiles) -> None:
        self._writer.write(recorded_episode(self._env, result), files)


def recorded_episode(env: Environment, result: RolloutResult) -> Episode:
    """The episode to store of a rollout in an environment, whose perturbations are then those of the episode."""
    sent = env.perturbs_actions and result.spec.control == "joint"
    env.perturb(result.seed)
    return Episode(
        spec=replace(result.spec, instruction=env.observe().instruction),
        seed=result.seed,
        outcome=result.outcome,
        stage=result.stage,
        qpos=result.qpos[:-1],
        qvel=result.qvel[:-1],
        objects=result.objects[:-1],
        joint_actions=result.actions if sent else result.joint_actions,
        ee_actions=ee_actions(env, result),
        states=result.states,
        stages=result.stages,
        model_sha256=env.scene.model_sha256,
        versions=versions(),
        perturbed=result.perturbed,
    )


def ee_actions(env: Environment, result: RolloutResult) -> Float32Array:
    """The actions of a rollout as end-effector actions, shape (T, E) float32.

    Under end-effector control they are what the agent sent, under joint control the poses that its commands aim at.
    E is 0 under joint control if the family's end-effector actions are steps, which joint commands cannot be turned
    into.
    """
    if result.spec.control == "ee":
        return result.actions
    if not FAMILIES[result.spec.family].ee_is_pose:
        return np.zeros((result.steps, 0), np.float32)
    to_ee = EePose(env.scene, result.spec.control_hz)
    return np.stack([to_ee.from_joint_action(action) for action in result.joint_actions])


class EpisodeWriter:
    """Renders episodes from their states, as the agent saw them, and writes them, with a video where one is wanted.

    Cameras, image size, quality and perturbations of images of the environment are those of the episodes. If images or
    videos are made, the OpenGL context is created here, not after the first rollout.

    Raises:
        RenderingError: No OpenGL context can be created.
    """

    def __init__(self, env: Environment, options: WriteOptions, *, renders: bool) -> None:
        self._env, self._options, self._format = env, options, format_named(options.format)
        self._video_cameras = env.spec.cameras or FAMILIES[env.spec.family].cameras
        if renders:
            env.render(env.scene.state(), self._video_cameras[0])

    def write(self, episode: Episode, files: EpisodeFiles, frames: Frames | None = None) -> None:
        """Write the files of an episode. Every frame is rendered once, and no more than one step is held.

        If frames are given, none is rendered.

        Raises:
            DatasetError: A file cannot be written.
        """
        self._env.perturb(episode.seed, episode.look, event_step(episode.perturbed))
        if frames is None:
            frames = {camera: self._frames(episode, camera) for camera in episode.spec.cameras}
        if files.video is None:
            self._format.write(files.episode, episode, frames, self._options, self._env)
            return
        with VideoWriter(files.video, episode.spec.control_hz) as video:

            def add(t: int, images: Mapping[str, ImageArray]) -> None:
                video.add(images, caption(episode, t))

            on_step = add if frames else None
            self._format.write(files.episode, episode, frames, self._options, self._env, on_step=on_step)
            if not frames:
                for t in range(episode.steps):
                    add(t, {camera: self._env.image_at(episode.states, t, camera) for camera in self._video_cameras})

    def _frames(self, episode: Episode, camera: str) -> Iterator[ImageArray]:
        return (self._env.image_at(episode.states, t, camera) for t in range(episode.steps))


def caption(episode: Episode, t: int) -> Caption:
    """The caption of the frame before action t; the last one has the outcome."""
    return Caption(
        task=episode.spec.task,
        seed=episode.seed,
        time_s=t / episode.spec.control_hz,
        stage=stage_label(episode.spec.stages, int(episode.stages[t])),
        outcome=str(episode.outcome) if t == episode.steps - 1 else "",
        perturb=episode.spec.perturb,
    )
