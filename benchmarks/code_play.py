"""What one code of a policy does to a robot: a short open-loop play from the start of a task, in pictures."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ambidex.benchmarks.running.policy_fit import fitting_spec, play_code, use_robot_of
from ambidex.benchmarks.running.served_agents import environment_for
from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
from ambidex.envs.rollout import rollout
from ambidex.envs.types import EnvSpec, FloatArray, ImageArray, Observation, Outcome
from ambidex.errors import SimulationError
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.fixed_batch import FixedBatch

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class CodePlay:
    """How codes are played and pictured.

    Attributes:
        seed: Episode seed of the start.
        seconds: Simulated time [s].
        frames: Pictures, evenly spread from the start to the end.
        height: Of a picture [px]; its shape is that of the task's family.
        quality: "standard" or "studio".
    """

    seed: int
    seconds: float
    frames: int
    height: int
    quality: str

    def strips(
        self,
        policy: "Policy",
        task: str,
        codes: tuple[int, ...],
        camera: str | None = None,
        control: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[list[ImageArray]]:
        """The pictures of each code, shape (height, W, 3) uint8 RGB.

        Args:
            policy: What the codes are of; it computes on a CPU, and keeps to the last code.
            task: Where they are played, with the robot of this task.
            codes: Which.
            camera: Which view; None for the first of the task's family.
            control: In which control mode; None for the only one in which the policy knows the robot.
            checkpoint: Where the policy comes from, to be named if it does not fit; None to name none.

        Raises:
            UsageError: The policy does not fit the task, or has no such code.
            UnknownNameError: The task has no such camera.
            SimulationError: A play broke.
        """
        use_robot_of(policy, task, control)
        spec = fitting_spec(task, policy, Terms(), checkpoint)
        terms = Terms(horizon=self.steps(spec))
        with (
            closing(environment_for(task, policy.spec, policy.inputs, terms)) as acted,
            closing(self._filmed(task, spec, camera)) as seen,
        ):
            return [self._strip(seen, self._states(policy, acted, code)) for code in codes]

    def steps(self, spec: EnvSpec) -> int:
        """Control steps of a play."""
        return max(1, round(self.seconds * spec.control_hz))

    def _filmed(self, task: str, spec: EnvSpec, camera: str | None) -> Environment:
        family = FAMILIES[spec.family]
        height, width = family.image_size
        size = (self.height, round(self.height * width / height))
        return Terms().environment(
            task, cameras=(camera or family.cameras[0],), image_size=size, render_quality=self.quality
        )

    def _states(self, policy: "Policy", env: Environment, code: int) -> FloatArray:
        """States before, within and after the play of a code, shape (T+1, S)."""
        play_code(policy, code)
        batch = FixedBatch(policy, torch.device("cpu"), 1)

        def ask(observation: Observation) -> Chunk:
            return batch.answer([ObservationMessage.of(observation, policy.inputs)])[0]

        agent = choose_execution("chunk", None, None, policy.chunk_size).agent(ask)
        result = rollout(env, agent, self.seed)
        if result.outcome is Outcome.ERROR:
            raise SimulationError(f"Code {code} could not be played in {env.spec.task}: {result.reason}")
        return result.states

    def _strip(self, env: Environment, states: FloatArray) -> list[ImageArray]:
        moments = np.linspace(0, len(states) - 1, self.frames).round().astype(int)
        return [env.render(states[moment], env.spec.cameras[0]) for moment in moments]
