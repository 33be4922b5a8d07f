"""One rollout on a robot: the loop that keeps the control rate, and stops the arm whatever happens."""

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ambidex.benchmarks.results.row import EpisodeKey
from ambidex.benchmarks.robot.connection import RobotConnection
from ambidex.benchmarks.robot.protocol import RobotObservation, Verdict
from ambidex.benchmarks.robot.safety import RobotError
from ambidex.benchmarks.robot.video import RolloutVideo
from ambidex.envs.types import NO_CODE, Agent, CodedAgent, EnvSpec, FloatArray, ImageArray, Observation
from ambidex.errors import DatasetError, RemoteConnectionError, RenderingError

NOT_OF_THE_ROLLOUT = (MemoryError, RenderingError, DatasetError, RemoteConnectionError)
"""Errors of the machine, the disk or the network: the rollout is no result, and the evaluation ends."""


class RatedClock:
    """Starts each control step at its time, by a clock that is never set back.

    A step that begins or ends too late does not make the following ones faster: they count from its own start.

    Args:
        hz: Control rate [Hz].
        now: The time [s].
        sleep: Waits for some seconds.

    Attributes:
        late: Steps whose command came later than one control period after the step was due.
    """

    def __init__(
        self, hz: float, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._period, self._now, self._sleep = 1 / hz, now, sleep
        self.late = 0
        self._due = now()

    def wait(self) -> None:
        """Wait until the next step is due."""
        if (left := self._due - self._now()) > 0:
            self._sleep(left)

    def sent(self) -> None:
        """Count the step as late if it is, and set when the next one is due."""
        now = self._now()
        self.late += now - self._due > self._period
        self._due = max(self._due + self._period, now)


class SimulatedClock(RatedClock):
    """Waits for nothing, and no step is late: for robots whose time stands still between commands."""

    def __init__(self, hz: float) -> None:
        super().__init__(hz, now=lambda: 0.0, sleep=lambda seconds: None)


Clock = Callable[[float], RatedClock]
"""Control rate [Hz] -> the clock of a rollout."""


@dataclass(kw_only=True)
class RobotRollout:
    """What happened in a rollout.

    Attributes:
        key: Task and seed.
        steps: Commands that were sent.
        late_steps: Those that were sent late.
        error: Why it ended early; empty if it did not.
        traceback: Where that was raised.
        robot_failed: The error is the robot's, which is to be connected again.
        verdict: The robot's own; None if it did not judge.
        codes: The code behind each action.
        wall_s: How long it took, with moving home [s].
    """

    key: EpisodeKey
    steps: int = 0
    late_steps: int = 0
    error: str = ""
    traceback: str = ""
    robot_failed: bool = False
    verdict: Verdict | None = None
    codes: list[int] = field(default_factory=list)
    wall_s: float = 0.0


@dataclass(kw_only=True)
class RolloutRunner:
    """Runs rollouts: moves home, then acts until the horizon, a verdict of the robot, or the operator ends it.

    Attributes:
        robot: The robot.
        agent: Who acts.
        spec: The robot's spec with the task and instruction of the evaluation.
        clock: Keeps the control rate.
        judge: Ask the robot for its verdict after each command.
        ended: Whether the operator has ended the rollout.
        last: The last rollout, also if it has raised an exception.
    """

    robot: RobotConnection
    agent: Agent
    spec: EnvSpec
    clock: Clock = RatedClock
    judge: bool = False
    ended: Callable[[], bool] = lambda: False
    last: RobotRollout = field(default_factory=lambda: RobotRollout(key=("", 0)))

    def run(self, seed: int, video: RolloutVideo | None = None) -> RobotRollout:
        """Run a rollout and stop the arm, whatever happens; `video` gets its images.

        Returns:
            What happened. Errors of the robot and of the agent, and violations of safety limits, are in it.

        Raises:
            StopFailedError: The arm could not be stopped.
            MemoryError: The machine is at fault, so the rollout is no result; also RenderingError, DatasetError and
                RemoteConnectionError.
        """
        started = time.perf_counter()
        self.last = result = RobotRollout(key=(self.spec.task, seed))
        try:
            self.robot.home(seed)
            self._act(seed, result, video)
        except NOT_OF_THE_ROLLOUT:
            raise
        except Exception as error:  # a rollout that fails is one row and does not end the evaluation
            result.error, result.robot_failed = f"{type(error).__name__}: {error}", isinstance(error, RobotError)
            result.traceback = "".join(traceback.format_exception(error))
        finally:
            self.robot.stop()
            result.wall_s = time.perf_counter() - started
        return result

    def _act(self, seed: int, result: RobotRollout, video: RolloutVideo | None) -> None:
        robot, agent, spec = self.robot, self.agent, self.spec
        coded = agent if isinstance(agent, CodedAgent) else None
        agent.reset(as_observation(robot, spec, robot.observe(), 0), seed)
        rated = self.clock(spec.control_hz)
        while result.steps < spec.horizon and result.verdict is None and not self.ended():
            rated.wait()
            measured = robot.observe()
            observation = as_observation(robot, spec, measured, result.steps)
            robot.act(agent.act(observation), measured)
            rated.sent()
            result.steps, result.late_steps = result.steps + 1, rated.late
            result.codes.append(coded.code if coded is not None else NO_CODE)
            if video is not None:
                video.add(observation, result.steps - 1)
            if self.judge:
                result.verdict = robot.verdict()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RobotView(Observation):
    """An observation of a robot, without a simulator's state; `parts` are those of `RobotObservation`."""

    parts: Mapping[str, FloatArray]


def as_observation(robot: RobotConnection, spec: EnvSpec, measured: RobotObservation, step: int) -> RobotView:
    """What a robot measured as an observation for agents; images are fetched when they are asked for."""

    def image(state: FloatArray, camera: str) -> ImageArray:
        return robot.image(measured, camera)

    qpos = np.asarray(measured.qpos, float)
    return RobotView(
        time=step / spec.control_hz,
        state=np.zeros(0),
        qpos=qpos,
        qvel=np.zeros_like(qpos) if measured.qvel is None else np.asarray(measured.qvel, float),
        objects=np.asarray(measured.objects, float),
        instruction=spec.instruction,
        camera_names=spec.cameras,
        render=image,
        parts=measured.parts,
    )
