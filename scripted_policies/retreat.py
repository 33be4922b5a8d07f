"""An expert that can take over in the middle of an episode: it lets go and returns to the home posture before it plans.

The experts are written for initial states. Their references start at the home posture, with empty hands, and their
plans do not expect an arm among the objects. So before its expert plans, the agent here opens the grippers where they
are, waits for what they held to come to rest, and moves the arms home.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ambidex.envs.controllers.ee_delta import EeDelta
from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import Float32Array, Observation
from ambidex.scripted_policies.libero.hand import Hand, Motion
from ambidex.scripted_policies.registry import make_expert

Actions = Iterator[Float32Array]

AT_HOME = 0.05  # largest distance of a joint from its home position [rad]
OPENING_S, SETTLING_S = 0.5, 1.0  # for grippers and what they drop; at most, for arms to arrive [s]
JOINT_SPEED = 1.3  # mean speed of the joint that moves most, as of the expert itself [rad/s]
HAND_RETREAT = 0.1  # of LIBERO's hand, back along the direction in which it points [m]
HAND_LEAD = 0.3  # how far the joint that moves most is ahead in the pose that LIBERO's hand moves to [rad]
HAND_TIMEOUT = 150  # control steps, at most, for LIBERO's joints to arrive


class RetreatingExpert:
    """The expert of a task, which first returns to the home posture with open grippers, unless it is there already.

    Args:
        env: The environment that it acts in.

    Attributes:
        is_planning: The way home is over, and the expert acts.
    """

    def __init__(self, env: Environment) -> None:
        self._env, self._expert = env, make_expert(env)
        self._retreat = RETREATS[env.spec.family]
        arms = env.scene.robot.arms
        self._home = np.concatenate([[*arm.home, np.nan] for arm in arms])  # grippers may be anywhere

    def reset(self, observation: Observation, seed: int) -> None:
        self._seed, self.is_planning = seed, False
        at_home = float(np.nanmax(np.abs(observation.qpos - self._home))) < AT_HOME
        self._actions: Actions = iter(()) if at_home else self._retreat(self._env)

    def act(self, observation: Observation) -> Float32Array:
        if not self.is_planning:
            action = next(self._actions, None)
            if action is not None:
                return action
            self._expert.reset(observation, self._seed)
            self.is_planning = True
        return self._expert.act(observation)


def move_arms_home(env: Environment) -> Actions:
    """Open all grippers, and move the arms to their home postures, each joint along a minimum-jerk profile."""
    hz, space = env.spec.control_hz, JointSpace(env.scene)
    to_action = _from_joint_action(env)
    start = space.commanded()  # not the measured posture: a command that jumps there would let the arms sag
    home = np.concatenate([[*arm.home, 1.0] for arm in env.scene.robot.arms])
    grippers = np.concatenate([[False] * len(arm.joints) + [True] for arm in env.scene.robot.arms])
    opened = np.where(grippers, home, start)
    for share in _shares(OPENING_S * hz):
        yield to_action(start + min(1.0, 2.0 * share) * (opened - start))
    for share in _shares(float(np.abs(home - opened).max()) / JOINT_SPEED * hz):
        yield to_action(opened + share**3 * (10.0 - 15.0 * share + 6.0 * share**2) * (home - opened))
    for _ in _shares(SETTLING_S * hz):
        if float(np.abs(space.positions() - home)[~grippers].max()) < AT_HOME:
            return
        yield to_action(home)


def _from_joint_action(env: Environment) -> Callable[[np.ndarray], Float32Array]:
    if env.spec.control == "joint":
        return lambda command: command.astype(np.float32)
    poses = EePose(env.scene, env.spec.control_hz)
    return lambda command: poses.from_joint_action(command.astype(np.float32))


def move_hand_home(env: Environment) -> Actions:
    """Open the hand, retreat from what it held, and move it to where it is in the home posture."""
    (arm,) = env.scene.robot.arms
    hand, hz = Hand(env.scene, arm), env.spec.control_hz
    to_joints = EeDelta(env.scene, hz) if env.spec.control == "joint" else None
    memory = env.scene.data.userdata.copy()
    retreats = (hand.open(), hand.wait(round(OPENING_S * hz)), hand.retreat(HAND_RETREAT))
    for motion in (*retreats, _move_joints_home(env, hand)):
        for _ in motion:
            action = hand.action()
            yield action if to_joints is None else to_joints.command(action, memory)


def _move_joints_home(env: Environment, hand: Hand) -> Motion:
    """Move the hand as it moves if every joint goes straight to its home position, then exactly to its home pose.

    A straight line of the hand can end at a joint limit. A straight line of the joints cannot.
    """
    (arm,) = env.scene.robot.arms
    kinematics, space, home = Kinematics(env.scene.robot, arm), JointSpace(env.scene), np.array(arm.home)

    def ahead() -> Pose:
        here = space.positions()[:-1]
        way = home - here
        return kinematics.forward(here + way * min(1.0, HAND_LEAD / max(float(np.abs(way).max()), HAND_LEAD)))

    def arrived() -> bool:
        return float(np.abs(space.positions()[:-1] - home).max()) < AT_HOME

    yield from hand.move_to(ahead, tolerance=0.0, timeout=HAND_TIMEOUT, until=arrived)
    return (yield from hand.move_to(kinematics.forward(home)))


def _shares(steps: float) -> Iterator[float]:
    """Shares of a way of some control steps, up to 1."""
    count = max(1, round(steps))
    return ((step + 1) / count for step in range(count))


RETREATS: Mapping[str, Callable[[Environment], Actions]] = {"aloha": move_arms_home, "libero": move_hand_home}
"""Family -> the actions that bring its robot home."""
