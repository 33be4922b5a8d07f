"""The ViperX against published numbers: chain, limits and masses of the ACT scene; reach and payload."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

# parent -> child offset [m], rotation axis, range [rad]
CHAIN = (
    ("waist", (0.0, 0.0, 0.079), "z", (-3.14158, 3.14158)),
    ("shoulder", (0.0, 0.0, 0.04805), "y", (-1.85005, 1.25664)),
    ("elbow", (0.05955, 0.0, 0.3), "y", (-1.76278, 1.6057)),
    ("forearm_roll", (0.2, 0.0, 0.0), "x", (-3.14158, 3.14158)),
    ("wrist_angle", (0.1, 0.0, 0.0), "y", (-1.8675, 2.23402)),
    ("wrist_rotate", (0.069744, 0.0, 0.0), "x", (-3.14158, 3.14158)),
)
MASSES = {
    "shoulder_link": 0.798614,
    "upper_arm_link": 0.792592,
    "upper_forearm_link": 0.322228,
    "lower_forearm_link": 0.414823,
    "wrist_link": 0.115395,
    "gripper_link": 0.251652,
    "gripper_prop_link": 0.008009,
    "left_finger_link": 0.034796,
    "right_finger_link": 0.034796,
}
BASES = {"left": ((-0.469, 0.5, 0.0), 0.0), "right": ((0.469, 0.5, 0.0), 3.1416)}
TCP = 0.1347  # ahead of gripper_link [m]
AXES = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make("transfer_cube").scene


def chain(side: str, q: FloatArray) -> Pose:
    """The gripper link's pose from the table above, without MuJoCo's kinematics."""
    position, yaw = BASES[side]
    pose = Pose.at(position, quaternion_about(AXES["z"], yaw))
    for angle, (_, offset, axis, _) in zip(q, CHAIN, strict=True):
        pose = pose @ Pose.at(offset, quaternion_about(AXES[axis], angle))
    return pose


@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_kinematics_follow_the_chain(scene: Scene, side: str) -> None:
    rng = np.random.default_rng(0)
    low, high = np.array([limits for *_, limits in CHAIN]).T
    for _ in range(1000):
        q = rng.uniform(low, high)
        for (name, *_), angle in zip(CHAIN, q, strict=True):
            scene.data.joint(f"vx300s_{side}/{name}").qpos = angle
        mujoco.mj_kinematics(scene.model, scene.data)
        expected = chain(side, q)
        actual = scene.body_pose(f"vx300s_{side}/gripper_link")
        assert np.abs(actual.position - expected.position).max() < 1e-6
        assert abs(abs(actual.quaternion @ expected.quaternion) - 1.0) < 1e-9
        tool = expected @ Pose.at((TCP, 0.0, 0.0))
        assert np.abs(scene.site_pose(f"vx300s_{side}/tcp").position - tool.position).max() < 1e-6


@pytest.mark.parametrize("side", ["left", "right"])
def test_limits_and_masses(scene: Scene, side: str) -> None:
    for name, _, _, limits in CHAIN:
        assert scene.model.joint(f"vx300s_{side}/{name}").range == pytest.approx(limits)
        assert scene.model.actuator(f"vx300s_{side}/{name}").ctrlrange == pytest.approx(limits)
    assert scene.model.joint(f"vx300s_{side}/left_finger").range == pytest.approx((0.021, 0.057))
    assert scene.model.joint(f"vx300s_{side}/right_finger").range == pytest.approx((-0.057, -0.021))
    for body, mass in MASSES.items():
        assert float(scene.model.body(f"vx300s_{side}/{body}").mass[0]) == pytest.approx(mass)


def test_home_is_that_of_the_act_scene(scene: Scene) -> None:
    scene.reset({})
    left = scene.body_pose("vx300s_left/gripper_link").position
    right = scene.body_pose("vx300s_right/gripper_link").position
    assert left == pytest.approx((-0.31718881, 0.5, 0.29525084), abs=1e-6)
    assert right == pytest.approx((0.31718881, 0.49999888, 0.29525084), abs=1e-6)


def test_reach_is_750_mm() -> None:
    """Data sheet: 750 mm from the waist axis to the fingers' carrier, arm stretched out level."""
    scene = make("transfer_cube", cameras=()).scene
    bend = np.arctan2(0.05955, 0.3)  # regardless of limits, as the links determine the reach
    scene.data.joint("vx300s_left/shoulder").qpos = np.pi / 2 - bend
    scene.data.joint("vx300s_left/elbow").qpos = -np.pi / 2 + bend
    for joint in ("forearm_roll", "wrist_angle", "wrist_rotate"):
        scene.data.joint(f"vx300s_left/{joint}").qpos = 0.0
    scene.refresh()
    reach = scene.body_pose("vx300s_left/left_finger_link").position[0] - BASES["left"][0][0]
    assert reach == pytest.approx(0.750, abs=0.01)


def _close_on_cube(scene: Scene, half_edge: float) -> float:
    """Least force [N] of a finger on a block between them, after closing fully for a second."""
    scene.model.geom("red_box").size[:] = half_edge
    tool = scene.site_pose("vx300s_right/tcp")
    scene.reset({"cube": tool})
    scene.model.opt.gravity[:] = 0.0
    scene.data.actuator("vx300s_right/gripper").ctrl = 0.021
    scene.advance(500)
    forces = {}
    for index, contact in enumerate(scene.data.contact):
        wrench = np.zeros(6)
        mujoco.mj_contactForce(scene.model, scene.data, index, wrench)
        finger = scene.model.geom(contact.geom1).name
        forces[finger] = forces.get(finger, 0.0) + wrench[0]
    assert len(forces) == 2
    return min(forces.values())


def test_grip_force_on_a_40_mm_cube() -> None:
    """The identified actuator exerts 35 N: 17.5 N per finger, less losses in the coupling."""
    scene = make("transfer_cube").scene
    scene.reset({})
    assert 15.0 < _close_on_cube(scene, 0.02) < 18.0


def test_fingers_travel_in_under_half_a_second() -> None:
    env = make("transfer_cube", cameras=())
    action = env.reset(0).qpos.astype(np.float32)
    action[6] = 0.0
    for _ in range(50):
        env.step(action)
    action[6] = 1.0
    openings = [env.step(action).observation.qpos[6] for _ in range(50)]
    arrived = int(np.argmax(np.array(openings) > 0.95)) * 0.02
    assert 0.1 < arrived < 0.5
    assert openings[-1] == pytest.approx((0.057 - 0.01844) / 0.03956, abs=0.01)


def test_fingers_mirror_each_other() -> None:
    env = make("transfer_cube", cameras=())
    action = env.reset(0).qpos.astype(np.float32)
    for opening in (1.0, 0.0, 0.5):
        action[6] = opening
        for _ in range(10):
            env.step(action)
            left = float(env.scene.data.joint("vx300s_left/left_finger").qpos[0])
            right = float(env.scene.data.joint("vx300s_left/right_finger").qpos[0])
            assert left == pytest.approx(-right, abs=2e-4)


def test_payload_of_750_g_is_carried() -> None:
    """Data sheet: 750 g. At home, at half the reach, no servo is near its limit and the sag is small."""
    env = make("transfer_cube", cameras=())
    action = env.reset(0).qpos.astype(np.float32)
    space, data, model = JointSpace(env.scene), env.scene.data, env.scene.model
    data.xfrc_applied[model.body("vx300s_left/gripper_link").id, 2] = -0.75 * 9.81
    for _ in range(150):
        env.step(action)
    sag = np.abs(space.positions()[:6] - action[:6])
    assert sag.max() < 0.06
    for name in ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate"):
        limit = model.jnt_actfrcrange[model.joint(f"vx300s_left/{name}").id, 1]
        assert abs(float(data.actuator(f"vx300s_left/{name}").force[0])) < 0.5 * limit
