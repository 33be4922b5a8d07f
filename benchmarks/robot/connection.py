"""The connection to a robot: every call has a time-out, and the arm can be stopped while a call hangs."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TypeVar, cast

from ambidex.benchmarks.robot.protocol import (
    ClosableRobot,
    JudgingRobot,
    Robot,
    RobotObservation,
    RobotRequest,
    SafetyLimits,
    Verdict,
)
from ambidex.benchmarks.robot.safety import RobotError, SafetyGuard, check_robot_spec
from ambidex.command_line import interrupts_deferred
from ambidex.envs.types import EnvSpec, Float32Array, ImageArray
from ambidex.errors import AmbidexError, describe_error

Answer = TypeVar("Answer")
RobotFactory = Callable[[RobotRequest], Robot]
SLOW_CALLS = 6.0  # connecting and moving home may take this many times as long
STOP_WAIT_S = 0.5  # for the present call to end before the arm is stopped beside it [s]
CONNECT = "connect"
METHODS = ("home", "observe", "act", "stop")


class StopFailedError(AmbidexError):
    """The arm could not be stopped: a person must."""


class RobotThread:
    """Runs calls one after the other in one thread, because few drivers may be called from several.

    It is a daemon thread, so that a call that hangs does not keep the program from exiting.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._run, name="robot", daemon=True).start()

    def submit(self, function: Callable[[], Answer]) -> "Future[Answer]":
        """Queue a call; one that is cancelled before it begins is left out."""
        future: Future[Answer] = Future()

        def call() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:  # `future.result` raises it
                    future.set_exception(error)

        self._calls.put(call)
        return future

    def _run(self) -> None:
        while True:
            self._calls.get()()


class RobotConnection:
    """A robot whose calls raise a RobotError if they fail, or take too long.

    Args:
        factory: Makes the robot.
        request: What it is given.
        timeout_s: How long a call may take [s].
        thread: Makes the calls. A thread that has connected before makes sure that no earlier call is still running.

    Attributes:
        spec: The robot's spec.
        guard: Checks by its limits.

    Raises:
        RobotError: The factory raised an error, did not return in time, or returned no robot; or an earlier call of the
            thread has not returned.
        UsageError: The spec or the limits of the robot are impossible.
    """

    def __init__(
        self, factory: RobotFactory, request: RobotRequest, timeout_s: float, thread: RobotThread | None = None
    ) -> None:
        self._thread, self._timeout_s = thread or RobotThread(), timeout_s
        if not _ended(self._thread.submit(lambda: None), timeout_s):
            hint = "It may still move the arm, so there is no new connection until it returns: check the robot."
            raise RobotError("An earlier call to the robot has not returned.", hint, expected=timeout_s)
        self._robot = self._connect(factory, request)
        try:
            _check_methods(self._robot)
            self.spec: EnvSpec = check_robot_spec(getattr(self._robot, "spec", None))
            self.guard = SafetyGuard(self.spec, getattr(self._robot, "limits", SafetyLimits()))
        except BaseException:
            _ended(self._thread.submit(partial(_discard, self._robot)), timeout_s)
            raise

    @property
    def judges(self) -> bool:
        """It can tell whether the task is done."""
        return isinstance(self._robot, JudgingRobot)

    def home(self, seed: int) -> None:
        """Move to the initial pose."""
        self.guard.reset()
        self._call("home", lambda: self._robot.home(seed), SLOW_CALLS)

    def observe(self, *, homed: bool = True) -> RobotObservation:
        """Measure, and check what was measured; raises a SafetyError outside the workspace, unless not yet `homed`."""
        observation = self._call("observe", self._robot.observe)
        if not isinstance(observation, RobotObservation):
            problem = f"observe of the robot returned {observation!r:.100}, expected a RobotObservation."
            raise RobotError(problem, got=type(observation).__name__)
        self.guard.check_observation(observation, homed=homed)
        return observation

    def image(self, observation: RobotObservation, camera: str) -> ImageArray:
        """The image of a camera at an observation, shape (H, W, 3) uint8 RGB."""
        return self.guard.check_image(camera, self._call("image", lambda: observation.images[camera]))

    def act(self, action: object, observation: RobotObservation) -> Float32Array:
        """Check an action and send it; returns what was sent. Raises a SafetyError without sending it."""
        command = self.guard.check_action(action, observation)
        self._call("act", lambda: self._robot.act(command))
        return command

    def verdict(self) -> Verdict | None:
        """What the robot says of the rollout; see `JudgingRobot`."""
        robot = cast("JudgingRobot", self._robot)
        return self._call("verdict", robot.verdict)

    def stop(self) -> None:
        """Stop the arm, in another thread if the present call does not end soon, and then again when it has ended.

        Signals that would interrupt take effect afterwards.

        Raises:
            StopFailedError: `stop` raised an error or did not return.
        """
        with interrupts_deferred():  # one must not leave `stop` queued behind a call that hangs
            self._stop()

    def _stop(self) -> None:
        stopping = self._thread.submit(self._robot.stop)
        if not _ended(stopping, STOP_WAIT_S) and not stopping.running():  # the present call hangs
            stopping = RobotThread().submit(self._robot.stop)
        if not _ended(stopping, self._timeout_s):
            raise _not_stopped(f"stop did not return within {self._timeout_s:g} s")
        if (error := stopping.exception()) is not None:
            raise _not_stopped(f"stop raised {describe_error(error)}") from error

    def close(self) -> None:
        """Close the connection, if the robot has `close`; errors are ignored, because the arm is stopped.

        While a call hangs, it is closed when that call returns.
        """
        if isinstance(self._robot, ClosableRobot):
            _ended(self._thread.submit(self._robot.close), self._timeout_s)

    def _connect(self, factory: RobotFactory, request: RobotRequest) -> Robot:
        made: list[Robot] = []

        def discard() -> None:
            for robot in made:
                _discard(robot)

        try:
            self._call(CONNECT, lambda: made.append(factory(request)), SLOW_CALLS)
        except BaseException:
            self._thread.submit(discard)  # the factory may return later, and then its robot must be stopped
            raise
        return made[0]

    def _call(self, name: str, function: Callable[[], Answer], slow: float = 1.0) -> Answer:
        future, timeout_s = self._thread.submit(function), slow * self._timeout_s
        if not _ended(future, timeout_s):
            future.cancel()
            problem = f"The robot did not answer within {timeout_s:g} s ({name})."
            hint = "Check its connection; --call-timeout gives it more time."
            raise RobotError(problem, hint, call=name, expected=timeout_s)
        if (error := future.exception()) is not None:
            hint = "Check that it is switched on and can be reached, then run the command again."
            problem = f"The robot raised {describe_error(error)} ({name})."
            raise RobotError(problem, hint if name == CONNECT else "", call=name) from error
        return future.result()


def _check_methods(robot: Robot) -> None:
    missing = [name for name in METHODS if not callable(getattr(robot, name, None))]
    if missing or isinstance(robot, type):
        problem = f"The factory of the robot returned {robot!r:.100}, without {', '.join(missing)}."
        raise RobotError(problem, "Expected a robot as in docs/robot.md.", got=missing)


def _discard(robot: Robot) -> None:
    """Stop and close what a factory returned, as far as it has these methods."""
    with suppress(Exception):
        robot.stop()
    if isinstance(robot, ClosableRobot):
        robot.close()


def _ended(future: "Future[Answer]", timeout_s: float) -> bool:
    """Whether a call has ended within this time; waits for it."""
    return bool(wait([future], timeout_s).done)


def _not_stopped(reason: str) -> StopFailedError:
    problem = f"THE ARM MAY STILL MOVE: {reason}."
    return StopFailedError(problem, "Use the emergency stop, then check the robot.", reason=reason)
