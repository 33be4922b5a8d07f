"""Kinematics: derivatives, inverses and limits."""

import numpy as np
import pytest

from ambidex.envs.robots.viperx_bimanual import make_robot
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose, quaternion_about, rotation_between
from ambidex.envs.types import FloatArray

ROBOT = make_robot()
HOME = np.array(ROBOT.arms[0].home)


@pytest.fixture(scope="module", params=[0, 1], ids=["left", "right"])
def arm(request: pytest.FixtureRequest) -> Kinematics:
    return Kinematics(ROBOT, ROBOT.arms[request.param])


def random_q(kinematics: Kinematics, rng: np.random.Generator) -> FloatArray:
    return rng.uniform(kinematics.low, kinematics.high)


def error(kinematics: Kinematics, q: FloatArray, target: Pose) -> tuple[float, float]:
    tool = kinematics.forward(q)
    turn = rotation_between(tool.quaternion, target.quaternion)
    return float(np.linalg.norm(tool.position - target.position)), float(np.linalg.norm(turn))


def test_jacobian_is_the_derivative(arm: Kinematics) -> None:
    rng = np.random.default_rng(1)
    step = 1e-6
    for _ in range(20):
        q = random_q(arm, rng)
        jacobian = arm.jacobian(q).copy()
        for joint in range(6):
            ahead, behind = q.copy(), q.copy()
            ahead[joint] += step
            behind[joint] -= step
            a, b = arm.forward(behind), arm.forward(ahead)
            linear = (b.position - a.position) / (2 * step)
            angular = rotation_between(a.quaternion, b.quaternion) / (2 * step)
            assert np.allclose(jacobian[:, joint], np.r_[linear, angular], atol=1e-6)


def test_inverse_tracks_a_smooth_path(arm: Kinematics) -> None:
    q, start = HOME, arm.forward(HOME)
    for i in range(300):
        turn = Pose.at((0, 0, 0), quaternion_about((0, 1, 0), 0.5 * np.sin(i / 40)))
        target = start.shifted((0.05 * np.sin(i / 30), 0.05 * np.sin(i / 25), -0.05 * np.sin(i / 20))) @ turn
        q = arm.inverse(q, target, max_step=0.0628)
    distance, angle = error(arm, q, target)
    assert distance < 1e-4
    assert angle < 1e-3


def test_solve_finds_what_forward_reached(arm: Kinematics) -> None:
    rng = np.random.default_rng(2)
    solved = 0
    for _ in range(50):
        target = arm.forward(np.clip(HOME + rng.uniform(-0.8, 0.8, 6), arm.low, arm.high))
        q = arm.solve(target, HOME, [np.array(p) for p in ROBOT.arms[0].ik_seeds])
        if q is not None:
            solved += 1
            assert max(error(arm, q, target)) < 1e-2
            assert (q >= arm.low).all()
            assert (q <= arm.high).all()
    assert solved >= 47


def test_limits_and_steps_hold_for_unreachable_targets(arm: Kinematics) -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        q = random_q(arm, rng)
        target = Pose.at(rng.uniform(-3, 3, 3), rng.standard_normal(4))
        moved = arm.inverse(q, target, max_step=0.05)
        assert np.isfinite(moved).all()
        assert (moved >= arm.low).all()
        assert (moved <= arm.high).all()
        assert np.abs(moved - q).max() <= 0.05 + 1e-12


def test_an_unreachable_target_is_approached_and_the_arm_rests(arm: Kinematics) -> None:
    q = HOME
    away = arm.forward(HOME).position - ROBOT.arms[0].base.position
    target = Pose(arm.forward(HOME).position + 2.0 * away, arm.forward(HOME).quaternion)
    path = []
    for _ in range(400):
        q = arm.inverse(q, target, max_step=0.0628)
        path.append(q)
    assert np.abs(path[-1] - path[-20]).max() < 0.02
    assert error(arm, q, target)[0] < error(arm, HOME, target)[0]


def test_steps_stay_small_at_a_wrist_singularity(arm: Kinematics) -> None:
    """With the wrist straight, a rotation about the vertical has no finite solution; damping limits the step."""
    singular = HOME.copy()
    singular[4] = 0.0
    start = arm.forward(singular)
    target = Pose.at((0, 0, 0), quaternion_about((0, 0, 1), 0.01))
    moved = arm.inverse(singular, Pose(start.position, (target @ start).quaternion), iterations=1)
    assert np.abs(moved - singular).max() < 0.2


def test_unreached_solutions_are_not_returned(arm: Kinematics) -> None:
    assert arm.solve(Pose.at((5.0, 5.0, 5.0)), HOME, [HOME]) is None
