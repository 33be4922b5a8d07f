"""What a worker process of `record-episodes` does: roll out seeds, and render and write what is kept."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.file_identity import check_files
from ambidex.envs.registry import FAMILIES
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Agent, EnvSpec, Episode, Float32Array, RolloutResult
from ambidex.output_folder import versions
from ambidex.recorders.dataset.layout import Destination
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.checks import needs_pixels
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.rendering.worker import write_rendered_episode

AgentFactory = Callable[[Environment], Agent]


@dataclass(frozen=True, kw_only=True)
class RolloutJob:
    """Attempt a seed.

    Attributes:
        seed: Episode seed.
    """

    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class WriteJob:
    """Render and write an attempt.

    Attributes:
        result: The attempt.
        destination: Where its files go.
    """

    result: RolloutResult
    destination: Destination


RecordJob = RolloutJob | WriteJob


class RecordWorker:
    """Handles the jobs of one recording, with one environment for all of them.

    Args:
        config: Resolved config.
        agent_factory: Makes the agent, once.
        spec: Spec of the environment that the recording began with.

    Raises:
        UsageError: A file that the environment is made from has changed in the meantime.
        RenderingError: Pixels are asked for, and there is no OpenGL context to be had.
    """

    def __init__(self, config: RecordConfig, agent_factory: AgentFactory, spec: EnvSpec) -> None:
        self._config = config
        self._env = make_from_spec(config)
        check_files(spec, self._env.spec)
        self._agent = agent_factory(self._env)
        self._layout = config.layout
        self._writer = format_named(self._layout.format)
        self._stop = FAMILIES[self._env.spec.family].stops_at_success
        self._video_cameras = config.cameras or FAMILIES[self._env.spec.family].cameras
        if needs_pixels(config):  # at once, and not after a rollout
            self._env.render(self._env.scene.state(), self._video_cameras[0])

    def __call__(self, job: RecordJob) -> RolloutResult | int:
        """A `RolloutJob`'s result, or the bytes written by a `WriteJob`."""
        if isinstance(job, RolloutJob):
            return rollout(self._env, self._agent, job.seed, stop_at_success=self._stop)
        episode = self._episode(job.result)
        return write_rendered_episode(
            self._env, episode, job.destination, self._layout, self._writer, self._video_cameras
        )

    def _episode(self, result: RolloutResult) -> Episode:
        return Episode(
            spec=result.spec,
            seed=result.seed,
            outcome=result.outcome,
            stage=result.stage,
            qpos=result.qpos[:-1],
            qvel=result.qvel[:-1],
            objects=result.objects[:-1],
            joint_actions=result.joint_actions,
            ee_actions=ee_actions(self._env, result),
            states=result.states,
            stages=result.stages,
            model_sha256=self._env.scene.model_sha256,
            versions=versions(),
        )


# FOLDED recorders.ee_actions: The end-effector actions that an episode's joint commands amount to.


def ee_actions(env: Environment, result: RolloutResult) -> Float32Array:
    """What the agent sent under end-effector control, or the poses that its joint commands aim at, shape (T, E).

    Under joint control E is 0 in a family whose end-effector actions are steps: these have no counterpart of joint
    commands.
    """
    if result.spec.control == "ee":
        return result.actions
    if not FAMILIES[result.spec.family].ee_is_pose:
        return np.zeros((result.steps, 0), np.float32)
    to_ee = EePose(env.scene, result.spec.control_hz)
    return np.stack([to_ee.from_joint_action(action) for action in result.joint_actions])
