"""A robot arm that records its calls and fails on demand, policies for it, and answers of an operator."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from synthetic_episode import make_spec

from ambidex.benchmarks.robot.config import RobotConfig
from ambidex.benchmarks.robot.evaluation import evaluate
from ambidex.benchmarks.robot.protocol import RobotObservation, SafetyLimits, Verdict
from ambidex.benchmarks.robot.rollout import SimulatedClock
from ambidex.benchmarks.robot.verdicts import Keyboard

FIRST = 100_000
JOINTS = ("shoulder", "elbow", "gripper")
SPEC = make_spec(
    task="stack the cups",
    family="",
    robot="bench_arm",
    control="joint",
    control_hz=50.0,
    horizon=4,
    cameras=("front",),
    image_size=(24, 32),
    instruction="stack the cups",
    stages=("none", "grasped", "stacked"),
    action_names=JOINTS,
    joint_names=JOINTS,
    object_names=(),
)
CONFIG = RobotConfig(
    robot="robot_fakes:FakeArm",
    policy="robot_fakes:keep_pose",
    task="stack the cups",
    rollouts=3,
    video="none",
    quiet=True,
    call_timeout=30.0,
)
Fault = Callable[["FakeArm"], object]


def keep_pose(observation):
    return observation.qpos


def boom(observation):
    raise ValueError("bad policy")


def jump(observation):
    return observation.qpos + 1


class Replay:
    """Repeats the expert's actions of seed 100000 and of 100001, whatever it sees."""

    actions = ()

    def reset(self, observation, seed):
        self._left = iter(Replay.actions[seed])

    def act(self, observation):
        return next(self._left, np.zeros_like(Replay.actions[100_000][0]))


LIMITS = SafetyLimits(low=(-2, -2, 0), high=(2, 2, 1), speed=(3, 3, 10))


@dataclass
class FakeArm:
    """Has three joints and a camera. `faults` maps a method, or a method and a seed, to what it does instead."""

    request: object = None
    faults: dict[object, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    spec: object = SPEC
    limits: SafetyLimits = LIMITS

    def __post_init__(self):
        self.qpos, self.seed, self.moving = np.zeros(3), None, False
        self.released = threading.Event()  # of a call that hangs

    def _faulty(self, method, usual):
        self.calls.append(method)
        fault = self.faults.get((method, self.seed), self.faults.get(method))
        return usual() if fault is None else fault(self)

    def home(self, seed):
        self.seed, self.moving, self.qpos = seed, True, np.zeros(3)
        self._faulty("home", lambda: None)

    def observe(self):
        return self._faulty("observe", self.measured)

    def measured(self, **changes):
        image = np.full((24, 32, 3), 90, np.uint8)
        return replace(RobotObservation(qpos=self.qpos, images={"front": image}), **changes)

    def act(self, action):
        self.qpos = np.asarray(action, float)
        self._faulty("act", lambda: None)

    def stop(self):
        self.moving = False
        self._faulty("stop", lambda: None)

    def close(self):
        self.calls.append("close")


class JudgingArm(FakeArm):
    """Succeeds after two commands with an even seed, fails with an odd one."""

    def verdict(self):
        if self.calls.count("act") % 2:
            return None
        return Verdict(success=self.seed % 2 == 0, stage=1 + (self.seed % 2 == 0), checks={"stacked": True})


HANG_S = 0.3  # time-out of calls where one hangs: enough for the others on a busy machine [s]


def raises(arm):
    raise OSError("the cable is unplugged")


def hangs(arm):
    arm.released.wait(30)


class Robots:
    """A factory of fake arms that keeps them."""

    def __init__(self, kind=FakeArm, **settings):
        self.kind, self.settings, self.made = kind, settings, []

    def __call__(self, request):
        self.made.append(self.kind(request, **self.settings))
        return self.made[-1]


def operator(*answers):
    """The keyboard of an operator who types these lines, and then nothing more."""
    lines = iter(f"{answer}\n" for answer in answers)
    return Keyboard(read=lambda: next(lines, ""))


def run(directory, robots, source=None, **changes):
    settings = {"output_dir": directory, **changes}
    return evaluate(replace(CONFIG, **settings), factory=robots, verdicts=source, clock=SimulatedClock)
