"""A simulated cell that is controlled as a real robot is, to try `evaluate-robot` and to test it.

    evaluate-robot --robot ambidex.benchmarks.robot.simulated:SimulatedRobot --task insertion --policy act

The simulation runs in a process of its own, which takes commands over a pipe as a robot's computer does. With
--verdicts robot, the same policy and seeds have the outcomes of `run-benchmark`.
"""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ambidex.benchmarks.robot.protocol import RobotObservation, RobotRequest, SafetyLimits, Verdict
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray
from ambidex.errors import AmbidexError
from ambidex.worker_pool.process import WorkerProcess
from ambidex.worker_pool.worker import WorkerError

if TYPE_CHECKING:
    from ambidex.envs.types import Step


class SimulatedRobot:
    """Any task of ambidex as a robot, in the control mode and with the cameras that are asked for.

    It has no limits, because a limit would change outcomes; a subclass may have some. It judges by the task's strict
    checks.

    Args:
        request: What is asked of it; its task is a task of ambidex.

    Raises:
        AmbidexError: There is no such task, camera or control mode.
    """

    limits = SafetyLimits()

    def __init__(self, request: RobotRequest) -> None:
        self._process = WorkerProcess[str](pickle.dumps(partial(SimulatedCell, request)))
        self._receive()
        self._process.ready = True
        self.spec: EnvSpec = self._ask("describe")

    def home(self, seed: int) -> None:
        """Start the episode of a seed."""
        self._ask("home", seed)

    def observe(self) -> RobotObservation:
        """The present observation; its images are rendered when they are asked for."""
        values = self._ask("observe")
        state = values.pop("state")
        return RobotObservation(**values, images=_Images(self, state, self.spec.cameras))

    def act(self, action: Float32Array) -> None:
        """Act for one control step, in which the simulation goes on; it stands still until the next."""
        self._ask("act", action)

    def stop(self) -> None:
        """Do nothing: the simulation stands still."""

    def verdict(self) -> Verdict | None:
        """Success once the checks have held for their time, failure at the horizon."""
        verdict: Verdict | None = self._ask("verdict")
        return verdict

    def close(self) -> None:
        """End the process. Safe to call twice."""
        self._process.task = None
        self._process.end()

    def render(self, state: FloatArray, camera: str) -> ImageArray:
        """The image of a camera in a state."""
        image: ImageArray = self._ask("render", state, camera)
        return image

    def _ask(self, method: str, *arguments: object) -> Any:
        self._process.send(method, (method, arguments))
        return self._receive()

    def _receive(self) -> object:
        try:
            reply = self._process.receive()
        except EOFError as error:
            raise AmbidexError("The process of the simulation has ended.") from error
        if isinstance(reply, WorkerError):
            raise AmbidexError(reply.message)
        return reply


@dataclass(frozen=True)
class _Images(Mapping[str, ImageArray]):
    """The images of one state, rendered when they are asked for."""

    robot: SimulatedRobot
    state: FloatArray
    cameras: tuple[str, ...]

    def __getitem__(self, camera: str) -> ImageArray:
        return self.robot.render(self.state, camera)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cameras)

    def __len__(self) -> int:
        return len(self.cameras)


class SimulatedCell:
    """What runs in the process: one environment, and the last step of its episode."""

    def __init__(self, request: RobotRequest) -> None:
        from ambidex.envs.env import make  # imports the simulator

        self._env = make(
            request.task,
            control=request.control,
            cameras=request.cameras,
            image_size=request.image_size,
            render_quality=request.render_quality,
            horizon=request.horizon,
        )
        self._step: Step | None = None
        self._stage = 0

    def __call__(self, call: tuple[str, tuple[Any, ...]]) -> object:
        """Answer a call: the name of a method, and its arguments."""
        method, arguments = call
        return getattr(self, method)(*arguments)

    def describe(self) -> EnvSpec:
        return self._env.spec

    def home(self, seed: int) -> None:
        self._env.reset(seed)
        self._step, self._stage = None, self._env.stage()

    def observe(self) -> dict[str, object]:
        """The arguments of a RobotObservation but for images, and the state from which these are rendered."""
        from ambidex.benchmarks.remote.state_parts import state_parts

        now = self._env.observe()
        parts = dict(state_parts(self._env, now))
        return {"qpos": now.qpos, "qvel": now.qvel, "objects": now.objects, "parts": parts, "state": now.state}

    def act(self, action: Float32Array) -> None:
        self._step = self._env.step(action)
        self._stage = max(self._stage, self._step.stage)

    def verdict(self) -> Verdict | None:
        step = self._step
        if step is None or not (step.success or step.truncated):
            return None
        from ambidex.envs.rollout import failed_checks

        failed = "" if step.success else failed_checks(step)
        return Verdict(success=step.success, stage=self._stage, checks=dict(step.checks), reason=failed)

    def render(self, state: FloatArray, camera: str) -> ImageArray:
        return self._env.render(state, camera)
