"""What LIBERO's files hold of the robot, against poses that MuJoCo computes in a real scene."""

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ambidex import make
from ambidex.recorders.formats.libero.proprioception import proprioception

SEEDS = range(5)


@pytest.fixture(scope="module")
def scene_and_states():
    env = make("libero_goal/1", cameras=())
    rng, states = np.random.default_rng(0), []
    for seed in SEEDS:
        env.reset(seed)
        for _ in range(8):
            env.step(rng.uniform(-1, 1, 7).astype(np.float32))
        states.append(env.scene.state())
    return env, np.array(states)


@pytest.fixture(scope="module")
def kinematics(scene_and_states):
    """The data of each state, computed by MuJoCo alone."""
    env, states = scene_and_states
    found = []
    for state in states:
        data = mujoco.MjData(env.scene.model)
        data.qpos[:] = state[1 : 1 + env.scene.model.nq]
        mujoco.mj_kinematics(env.scene.model, data)
        found.append(data)
    return found


def test_the_orientation_is_that_of_the_hand_as_xyzw_and_as_axis_angle(scene_and_states, kinematics):
    robot = proprioception(*scene_and_states)
    matrices = np.array([data.body("robot0_right_hand").xmat.reshape(3, 3) for data in kinematics])
    np.testing.assert_allclose(Rotation.from_quat(robot.ee_quat).as_matrix(), matrices, atol=1e-9)
    np.testing.assert_allclose(Rotation.from_rotvec(robot.ee_ori).as_matrix(), matrices, atol=1e-9)
    quaternions = np.array([data.body("robot0_right_hand").xquat for data in kinematics])
    np.testing.assert_allclose(robot.ee_quat, np.roll(quaternions, -1, axis=1), atol=1e-12)
    assert np.ptp(matrices, axis=0).max() > 0.05


def test_positions_and_joints_are_those_of_the_model(scene_and_states, kinematics):
    robot = proprioception(*scene_and_states)
    sites = np.array([data.site("robot0_grip_site").xpos for data in kinematics])
    arm = np.array([[data.joint(f"robot0_joint{i}").qpos[0] for i in range(1, 8)] for data in kinematics])
    fingers = np.array([[data.joint(f"robot0_finger_joint{i}").qpos[0] for i in (1, 2)] for data in kinematics])
    np.testing.assert_allclose(robot.ee_pos, sites, atol=1e-12)
    np.testing.assert_array_equal(robot.joint_states, arm)
    np.testing.assert_array_equal(robot.gripper_states, fingers)
    np.testing.assert_array_equal(robot.ee_states, np.hstack([robot.ee_pos, robot.ee_ori]))
    np.testing.assert_array_equal(robot.robot_states, np.hstack([fingers, robot.ee_pos, robot.ee_quat]))
