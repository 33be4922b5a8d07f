"""The arm is stopped whatever happens, every call has a time-out, and the control rate is kept."""

import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from robot_fakes import FIRST, HANG_S, SPEC, FakeArm, Robots, hangs, keep_pose, raises

from ambidex.benchmarks.evaluation.own_policy import FunctionAgent
from ambidex.benchmarks.robot import connection
from ambidex.benchmarks.robot.connection import RobotConnection, StopFailedError
from ambidex.benchmarks.robot.protocol import RobotRequest, SafetyLimits
from ambidex.benchmarks.robot.rollout import RatedClock, RolloutRunner, SimulatedClock
from ambidex.benchmarks.robot.safety import RobotError, SafetyError
from ambidex.errors import RemoteConnectionError

REQUEST = RobotRequest(task="stack the cups")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """What may take long times out as soon as the rest, and a call is not waited for before the arm is stopped."""
    monkeypatch.setattr(connection, "SLOW_CALLS", 1.0)
    monkeypatch.setattr(connection, "STOP_WAIT_S", 0.05)


def connected(robots, timeout_s=30.0):
    return RobotConnection(robots, REQUEST, timeout_s)


def runner_of(robots, agent=keep_pose, *, timeout_s=30.0, **changes):
    changes = {"clock": SimulatedClock, **changes}
    return RolloutRunner(robot=connected(robots, timeout_s), agent=FunctionAgent(agent), spec=SPEC, **changes)


def test_a_rollout_ends_at_the_horizon_and_stops_the_arm():
    robots = Robots()
    result = runner_of(robots).run(FIRST)
    (arm,) = robots.made
    assert (result.steps, result.error, result.late_steps) == (4, "", 0)
    assert arm.calls == ["home", "observe", *["observe", "act"] * 4, "stop"]


@pytest.mark.parametrize("method", ["home", "observe", "act"])
@pytest.mark.parametrize(("fault", "timeout_s"), [(raises, 30.0), (hangs, HANG_S)])
def test_an_arm_that_fails_or_hangs_is_stopped_and_the_rollout_is_an_error(method, fault, timeout_s):
    robots = Robots(faults={method: fault})
    started = time.monotonic()
    result = runner_of(robots, timeout_s=timeout_s).run(FIRST)
    (arm,) = robots.made
    assert f"({method})" in result.error and "RobotError" in result.error
    assert not arm.moving and arm.calls[-1] == "stop"
    assert time.monotonic() - started < 20
    arm.released.set()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda arm: None,
        lambda arm: arm.measured(qpos=np.zeros(7)),
        lambda arm: arm.measured(qpos=np.full(3, np.nan)),
    ],
)
def test_a_wrong_observation_stops_the_arm(wrong):
    robots = Robots(faults={"observe": wrong})
    result = runner_of(robots).run(FIRST)
    assert "RobotError" in result.error and "act" not in robots.made[0].calls and robots.made[0].calls[-1] == "stop"


def test_a_wrong_image_stops_the_arm():
    def look(observation):
        return observation.image("front")[0, 0, :3] * 0.0

    robots = Robots(faults={"observe": lambda arm: arm.measured(images={"front": np.zeros((4, 4, 3), np.uint8)})})
    result = runner_of(robots, look).run(FIRST)
    assert "front" in result.error and robots.made[0].calls[-1] == "stop"


@pytest.mark.parametrize("action", [np.full(3, np.nan), np.array([2.5, 0, 0]), np.zeros(2), "left"])
def test_a_command_that_is_refused_is_not_sent_and_stops_the_arm(action):
    robots = Robots()
    result = runner_of(robots, lambda observation: action).run(FIRST)
    assert result.error and "act" not in robots.made[0].calls and robots.made[0].calls[-1] == "stop"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, RemoteConnectionError])
def test_an_interrupt_and_an_error_of_the_machine_stop_the_arm_before_they_go_on(error):
    def interrupted(observation):
        raise error("now")

    robots = Robots()
    with pytest.raises(error):
        runner_of(robots, interrupted).run(FIRST)
    assert robots.made[0].calls[-1] == "stop" and not robots.made[0].moving


def test_a_hanging_arm_is_stopped_long_before_a_call_times_out(monkeypatch):
    robots, stopped, released = Robots(), threading.Event(), threading.Event()
    robot = connected(robots)
    robots.made[0].stop = stopped.set
    robot._thread.submit(lambda: released.wait(60))
    started = time.monotonic()
    robot.stop()
    assert stopped.is_set() and time.monotonic() - started < 10  # and not 30 s
    released.set()


def test_a_call_that_returns_late_is_followed_by_stop_and_close():
    robots, closed = Robots(faults={"act": hangs}), threading.Event()
    runner = runner_of(robots, timeout_s=HANG_S)
    runner.run(FIRST)
    arm = robots.made[0]
    arm.close = closed.set
    runner.robot.close()
    assert not closed.is_set() and arm.calls[-1] == "stop"
    arm.moving = True
    arm.released.set()
    assert closed.wait(30) and arm.calls[-2:] == ["stop", "stop"] and not arm.moving


def test_the_arm_may_be_slower_to_move_home_than_to_act(monkeypatch):
    monkeypatch.setattr(connection, "SLOW_CALLS", 100.0)
    slow = Robots(faults={"home": lambda arm: time.sleep(3 * HANG_S)})
    assert runner_of(slow, timeout_s=HANG_S).run(FIRST).error == ""


def test_each_rollout_begins_at_the_measured_pose_not_at_the_last_command():
    robots = Robots(limits=SafetyLimits(speed=(3, 3, 10)))
    runner = runner_of(robots, lambda observation: observation.qpos + 0.05)
    assert [runner.run(FIRST + index).error for index in range(2)] == ["", ""]


def test_the_arm_is_stopped_before_anything_else_is_done(monkeypatch):
    def now():
        moving.append(bool(robots.made and robots.made[0].moving))
        return 0.0

    robots, moving = Robots(), []
    runner = runner_of(robots)
    monkeypatch.setattr(time, "perf_counter", now)
    runner.run(FIRST)
    assert moving == [False, False]


def test_the_arm_is_stopped_beside_a_call_that_hangs():
    robots = Robots(faults={"act": hangs})
    runner_of(robots, timeout_s=HANG_S).run(FIRST)
    arm = robots.made[0]
    assert not arm.released.is_set() and not arm.moving
    arm.released.set()


@pytest.mark.parametrize(("fault", "timeout_s"), [(raises, 30.0), (hangs, HANG_S)])
def test_an_arm_that_cannot_be_stopped_is_reported_at_once(fault, timeout_s):
    robots = Robots(faults={"stop": fault})
    runner = runner_of(robots, timeout_s=timeout_s)
    with pytest.raises(StopFailedError, match="emergency"):
        runner.run(FIRST)
    assert runner.last.steps == 4
    robots.made[0].released.set()


def test_all_calls_come_from_one_thread_unless_one_hangs():
    found = set()

    def note(arm):
        found.add(threading.get_ident())
        return arm.measured()

    runner_of(Robots(faults=dict.fromkeys(["home", "observe", "act", "stop"], note))).run(FIRST)
    assert len(found) == 1 and threading.get_ident() not in found


@pytest.mark.parametrize("factory", [lambda request: raises(None), lambda request: object(), lambda request: FakeArm])
def test_a_factory_that_returns_no_robot_is_an_error(factory):
    with pytest.raises(RobotError):
        connected(factory)


def test_what_a_factory_returns_is_stopped_and_closed_if_it_is_no_robot():
    stopped, closed = threading.Event(), threading.Event()
    with pytest.raises(RobotError, match="without home, observe, act"):
        connected(lambda request: SimpleNamespace(stop=stopped.set, close=closed.set))
    assert stopped.is_set() and closed.is_set()


def test_a_factory_that_hangs_is_an_error():
    released = threading.Event()
    with pytest.raises(RobotError, match="connect"):
        connected(lambda request: released.wait(30), timeout_s=0.02)
    released.set()


def test_a_robot_that_is_made_after_the_time_out_is_stopped_and_closed():
    robots, released, closed = Robots(), threading.Event(), threading.Event()

    def late(request):
        released.wait(30)
        arm = robots(request)
        arm.close = closed.set
        return arm

    with pytest.raises(RobotError, match="connect"):
        connected(late, timeout_s=0.02)
    released.set()
    assert closed.wait(30) and robots.made[0].calls == ["stop"]


def test_an_interrupt_while_the_arm_is_being_stopped_takes_effect_once_it_is(monkeypatch):
    def interrupted(future, timeout_s):
        signal.raise_signal(signal.SIGINT)
        return ended(future, timeout_s)

    robots, ended, released = Robots(), connection._ended, threading.Event()
    robot = connected(robots)
    robot._thread.submit(lambda: released.wait(30))
    monkeypatch.setattr(connection, "_ended", interrupted)
    with pytest.raises(KeyboardInterrupt):
        robot.stop()
    assert robots.made[0].calls == ["stop"]
    released.set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_arm_that_was_not_homed_may_be_outside_the_workspace():
    outside = np.array([[0.0, 0.0, -1.0]])
    limits = SafetyLimits(workspace=((-1, -1, 0), (1, 1, 1)))
    robot = connected(Robots(limits=limits, faults={"observe": lambda arm: arm.measured(ee_positions=outside)}))
    robot.observe(homed=False)
    with pytest.raises(SafetyError):
        robot.observe()


def test_the_operator_can_end_a_rollout():
    answers = iter([False, False, True])
    result = runner_of(Robots(), ended=lambda: next(answers)).run(FIRST)
    assert (result.steps, result.error) == (2, "")


class FakeTime:
    """A clock whose time goes on only by sleeping and by `work`."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds

    def work(self, seconds):
        self.now += seconds


def test_steps_are_one_control_period_apart_and_late_ones_are_counted():
    fake = FakeTime()
    clock = RatedClock(50, now=lambda: fake.now, sleep=fake.sleep)
    commands = []
    for seconds in (0.005, 0.015, 0.05, 0.005, 0.021, 0.005):
        clock.wait()
        fake.work(seconds)
        clock.sent()
        commands.append(round(fake.now, 6))
    assert clock.late == 2  # those of 50 and 21 ms
    assert commands == [0.005, 0.035, 0.09, 0.095, 0.131, 0.136]
    assert fake.slept == [0.015, 0.005, 0.015]


def test_the_rate_is_held_on_a_real_clock():
    started = time.monotonic()
    result = runner_of(Robots(), clock=RatedClock).run(FIRST)
    assert time.monotonic() - started >= 3 / SPEC.control_hz and result.steps == 4
