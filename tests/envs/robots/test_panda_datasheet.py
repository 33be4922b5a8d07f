"""The Panda against published numbers: data sheet chain and limits; LIBERO's masses, hand, fingers and home."""

import math

import mujoco
import numpy as np
import pytest
from panda_bench import IDLE, TABLE_Z, PandaBench

from ambidex.envs.robots.panda import HOME, make_panda, make_robot
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose, quaternion_about, rotation_between
from ambidex.envs.types import FloatArray

# Craig's parameters from the data sheet: a [m], d [m], alpha [rad], before the joint's rotation.
DH = (
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -math.pi / 2),
    (0.0, 0.316, math.pi / 2),
    (0.0825, 0.0, math.pi / 2),
    (-0.0825, 0.384, -math.pi / 2),
    (0.0, 0.0, math.pi / 2),
    (0.088, 0.0, math.pi / 2),
)
HAND, GRIP = 0.1065, 0.097  # link 7 to hand, hand to grip site [m]
LIMITS = (
    (-2.8973, 2.8973),
    (-1.7628, 1.7628),
    (-2.8973, 2.8973),
    (-3.0718, -0.0698),
    (-2.8973, 2.8973),
    (-0.0175, 3.7525),
    (-2.8973, 2.8973),
)
MASSES = (3.0, 3.0, 2.0, 2.0, 2.0, 1.5, 0.5)
BASE = (-0.66, 0.0, 0.912)
X, Z = (1, 0, 0), (0, 0, 1)


@pytest.fixture(scope="module")
def bench() -> PandaBench:
    return PandaBench()


@pytest.fixture(scope="module")
def arm() -> Kinematics:
    robot = make_robot()
    return Kinematics(robot, robot.arms[0])


def chain(q: FloatArray) -> Pose:
    """The grip site's pose from the table above, without MuJoCo's kinematics."""
    pose = Pose.at(BASE)
    for (a, d, alpha), angle in zip(DH, q, strict=True):
        pose = pose @ Pose.at((a, 0, 0), quaternion_about(X, alpha)) @ Pose.at((0, 0, d), quaternion_about(Z, angle))
    return pose @ Pose.at((0, 0, HAND), (0.924, 0, 0, -0.383)) @ Pose.at((0, 0, GRIP))


def test_forward_kinematics_follow_the_chain(bench: PandaBench, arm: Kinematics) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        q = rng.uniform(*np.array(LIMITS).T)
        bench.scene.data.qpos[:7] = q
        mujoco.mj_kinematics(bench.scene.model, bench.scene.data)
        expected = chain(q)
        for actual in (bench.hand(), arm.forward(q)):
            assert np.abs(actual.position - expected.position).max() < 1e-6
            assert np.abs(rotation_between(actual.quaternion, expected.quaternion)).max() < 1e-6


def test_jacobian_is_the_derivative(arm: Kinematics) -> None:
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(20):
        q = rng.uniform(arm.low, arm.high)
        jacobian = arm.jacobian(q).copy()
        for joint in range(7):
            ahead, behind = q.copy(), q.copy()
            ahead[joint] += step
            behind[joint] -= step
            a, b = arm.forward(behind), arm.forward(ahead)
            turn = rotation_between(a.quaternion, b.quaternion)
            numeric = np.r_[b.position - a.position, turn] / (2 * step)
            assert np.allclose(jacobian[:, joint], numeric, atol=1e-6)


def test_limits_and_masses(bench: PandaBench) -> None:
    model = bench.scene.model
    for i, (limits, mass) in enumerate(zip(LIMITS, MASSES, strict=True), start=1):
        assert model.joint(f"robot0_joint{i}").range == pytest.approx(limits)
        assert model.actuator(f"robot0_joint{i}").ctrlrange == pytest.approx(limits)
        assert float(model.body(f"robot0_link{i}").mass[0]) == pytest.approx(mass)
    assert model.joint("robot0_finger_joint1").range == pytest.approx((0.0, 0.04))
    assert model.joint("robot0_finger_joint2").range == pytest.approx((-0.04, 0.0))


def test_joints_come_first_and_home_is_liberos(bench: PandaBench) -> None:
    bench.scene.reset({})
    names = [bench.scene.model.joint(i).name for i in range(9)]
    assert names == [f"robot0_joint{i}" for i in range(1, 8)] + ["robot0_finger_joint1", "robot0_finger_joint2"]
    assert bench.scene.data.qpos[:9] == pytest.approx([*HOME, 0.0208, -0.0208])
    assert bench.joints.positions() == pytest.approx([*HOME, 0.52])


def test_the_hand_camera_looks_along_the_hand_from_50_mm_ahead(bench: PandaBench) -> None:
    bench.scene.reset({})
    camera, hand = bench.scene.data.cam("robot0_eye_in_hand"), bench.scene.body_pose("robot0_right_hand")
    assert camera.xpos == pytest.approx((hand @ Pose.at((0.05, 0, 0))).position)
    assert -camera.xmat.reshape(3, 3)[:, 2] == pytest.approx(hand.axis(2), abs=1e-5)
    assert float(bench.scene.model.cam("robot0_eye_in_hand").fovy[0]) == 75.0


def test_pads_meet_at_the_grip_site(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.scene.data.qpos[7:9] = 0.0
    mujoco.mj_kinematics(bench.scene.model, bench.scene.data)
    pads = [bench.scene.data.geom(f"robot0_finger{i}_pad_collision").xpos for i in (1, 2)]
    assert (pads[0] + pads[1]) / 2 == pytest.approx(bench.hand().position, abs=1e-4)
    assert np.linalg.norm(pads[0] - pads[1]) == pytest.approx(0.008)
    model = bench.scene.model
    assert model.geom("robot0_finger1_pad_collision").size == pytest.approx((0.008, 0.004, 0.008))
    assert model.geom("robot0_finger1_pad_collision").friction == pytest.approx((2, 0.05, 0.0001))


def test_fingers_cross_in_eight_control_steps(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act(IDLE, 30)
    bench.act([0.0] * 6 + [1.0], 8)
    assert float(bench.scene.data.actuator("robot0_finger_joint1").ctrl[0]) == pytest.approx(0.0, abs=1e-7)
    assert float(bench.scene.data.qpos[7]) < 0.012
    bench.act([0.0] * 6 + [1.0], 8)
    assert float(bench.scene.data.qpos[7]) < 0.002


def test_grip_force_on_a_40_mm_block() -> None:
    """Each finger pushes with its stiffness times the remaining distance: 1000 N/m over 20 mm, at most 20 N."""

    def add_block(spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="block", pos=[0, 0, TABLE_Z + 0.5])
        body.add_geom(name="block", type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.02, 0.02, 0.02])

    bench = PandaBench(add_block)
    hand = bench.hand()
    bench.scene.model.body("block").pos[:] = hand.position
    bench.scene.model.body("block").quat[:] = hand.quaternion
    bench.scene.reset({})
    bench.scene.data.qpos[7:9] = (0.03, -0.03)
    bench.act([0.0] * 6 + [1.0], 20)
    wrench, forces = np.zeros(6), {"robot0_finger1": 0.0, "robot0_finger2": 0.0}
    model, data = bench.scene.model, bench.scene.data
    for index, contact in enumerate(data.contact):
        mujoco.mj_contactForce(model, data, index, wrench)
        for geom in contact.geom:
            body = model.body(int(model.geom_bodyid[geom])).name
            if body in forces:
                forces[body] += float(wrench[0])
    assert min(forces.values()) == pytest.approx(19.5, abs=1.5)
    assert max(forces.values()) == pytest.approx(19.5, abs=1.5)


# Extent of LIBERO's regions in x and y, and the height of the surface.
TABLES = {
    "kitchen": (make_robot(), (-0.17, 0.12), (-0.28, 0.28), 0.9),
    "tabletop": (make_robot(), (-0.21, 0.14), (-0.08, 0.33), 0.9),
    "study": (make_panda(Pose.at((-0.75, 0.0, 0.912)), "mounted"), (-0.26, 0.03), (-0.26, 0.17), 0.885),
    "living_room": (make_panda(Pose.at((-0.51, 0.0, 0.42)), "ground"), (-0.28, 0.17), (-0.33, 0.33), 0.437),
    "floor": (make_panda(Pose.at((-0.6, 0.0, 0.0)), "ground"), (-0.23, 0.17), (-0.27, 0.27), 0.0),
}


def outward(position: FloatArray, base: Pose, tilt: float) -> Pose:
    """The hand pointing down, its x axis away from the base, tilted outward."""
    away = math.atan2(*(position - base.position)[1::-1])
    yaw, down = Pose.at(position, quaternion_about(Z, away)), Pose.at((0, 0, 0), quaternion_about(X, math.pi))
    return yaw @ Pose.at((0, 0, 0), quaternion_about((0, 1, 0), -tilt)) @ down


@pytest.mark.parametrize("name", TABLES)
def test_all_regions_are_within_reach(name: str) -> None:
    """From above, tilted outward by at most 0.6 rad at the far corners."""
    robot, *ranges, surface = TABLES[name]
    (arm,), home = robot.arms, np.array(HOME)
    kinematics, seeds = Kinematics(robot, arm), [np.array(posture) for posture in arm.ik_seeds]
    box = (*ranges, (surface + 0.02, surface + 0.1))
    for corner in np.array(np.meshgrid(*[(low, (low + high) / 2, high) for low, high in box])).reshape(3, -1).T:
        poses = [outward(corner, arm.base, tilt) for tilt in (0.0, 0.3, 0.6)]
        assert any(kinematics.solve(pose, home, seeds) is not None for pose in poses), corner
