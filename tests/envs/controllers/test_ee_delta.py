"""End-effector control by increments: rest, stored state, contact, grasping and limits."""

import mujoco
import numpy as np
import pytest
from panda_bench import IDLE, TABLE_Z, PandaBench

from ambidex.envs.simulation.pose import rotation_between

ZERO = (0.0,) * 7
DOWN = (0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def bench() -> PandaBench:
    return PandaBench()


def test_zero_actions_hold_the_arm_still(bench: PandaBench) -> None:
    bench.scene.reset({})
    start, q = bench.hand().position, bench.scene.data.qpos[:7].copy()
    bench.act(ZERO, 400)
    assert np.abs(bench.hand().position - start).max() < 1e-5
    assert np.abs(bench.scene.data.qpos[:7] - q).max() < 1e-5
    assert np.abs(bench.scene.data.qvel).max() < 1e-6


def test_a_load_is_carried_without_sinking_further(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act(ZERO, 5)
    start, data = bench.hand().position, bench.scene.data
    data.xfrc_applied[bench.scene.model.body("robot0_right_hand").id, 2] = -0.5 * 9.81
    bench.act(ZERO, 20)
    early = bench.hand().position[2]
    bench.act(ZERO, 200)
    data.xfrc_applied[:] = 0.0
    assert start[2] - early < 0.002
    assert abs(bench.hand().position[2] - early) < 1e-4


def test_actions_are_clipped(bench: PandaBench) -> None:
    ends = []
    for size in (1.0, 7.0):
        bench.scene.reset({})
        bench.act([0.0, size, 0.0, 0.0, 0.0, 0.0, -size], 5)
        ends.append(bench.scene.state())
    assert np.array_equal(*ends)


def test_orientation_is_constant_without_rotation(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act([0.0, 0.0, 0.0, 0.0, 0.0, 0.3, -1.0], 10)
    bench.act(IDLE, 30)
    turned = bench.hand().quaternion
    bench.act([0.5, 0.5, -0.3, 0.0, 0.0, 0.0, -1.0], 10)
    bench.act(IDLE, 30)
    assert np.linalg.norm(rotation_between(turned, bench.hand().quaternion)) < 0.01


def test_the_gripper_moves_by_the_sign_in_eight_steps(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act(IDLE, 8)
    finger = bench.scene.data.actuator("robot0_finger_joint1")
    mirror = bench.scene.data.actuator("robot0_finger_joint2")
    assert finger.ctrl[0] == pytest.approx(0.04)
    commands = []
    for action in (0.2, 1.0, 0.0, 0.01, *5 * [1.0]):
        bench.act([0.0] * 6 + [action])
        commands.append(float(finger.ctrl[0]))
        assert mirror.ctrl[0] == pytest.approx(-finger.ctrl[0])
    assert commands == pytest.approx([0.035, 0.03, 0.03, 0.025, 0.02, 0.015, 0.01, 0.005, 0.0], abs=1e-6)


def test_a_stored_state_continues_bit_for_bit(bench: PandaBench) -> None:
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (30, 7))
    bench.scene.reset({})
    states = []
    for action in actions:
        states.append(bench.scene.state())
        bench.act(action)
    end = bench.scene.state()
    for start in (0, 11, 29):
        fresh = PandaBench()
        fresh.scene.set_state(states[start])
        for action in actions[start:]:
            fresh.act(action)
        assert np.array_equal(fresh.scene.state(), end)


def test_the_joint_commands_alone_give_the_same_motion(bench: PandaBench) -> None:
    rng = np.random.default_rng(1)
    bench.scene.reset({})
    commands = [bench.act(action) for action in rng.uniform(-1, 1, (30, 7))]
    end = bench.scene.data.qpos.copy()
    bench.scene.reset({})
    for command in commands:
        bench.command(command)
    assert np.array_equal(bench.scene.data.qpos, end)


@pytest.mark.parametrize(("action", "newtons"), [(0.1, 17.0), (0.3, 52.0), (1.0, 173.0)])
def test_contact_force_is_that_of_liberos_controller(bench: PandaBench, action: float, newtons: float) -> None:
    """Vertical force of OSC on an arm at rest at home, times the action; a load of about 15 N that is held is added."""
    bench.scene.reset({})
    bench.act(DOWN, 19)
    bench.act([0.0, 0.0, -action, 0.0, 0.0, 0.0, 1.0], 30)
    assert newtons - 5.0 < bench.force()[2] < 1.3 * newtons + 40.0
    assert np.linalg.norm(rotation_between(bench.upright, bench.hand().quaternion)) < 0.05


def test_pressing_on_the_table_does_not_wind_up(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act(DOWN, 60)
    pressed = bench.hand().position
    assert pressed[2] > TABLE_Z
    bench.act(IDLE, 10)
    assert np.linalg.norm(bench.force()) < 30.0
    assert np.linalg.norm(bench.hand().position - pressed) < 0.005
    bench.act([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 8)
    assert bench.hand().position[2] > pressed[2] + 0.05


def test_any_actions_keep_the_arm_in_bounds(bench: PandaBench) -> None:
    """Full-scale actions for half a second each: limits, singularities, the table and the robot's pedestal."""
    rng = np.random.default_rng(2)
    bench.scene.reset({})
    low, high = bench.scene.model.jnt_range[:7].T
    for _ in range(100):
        action = rng.choice([-1.0, 0.0, 1.0], 7)
        for _ in range(10):
            bench.act(action)
            assert np.abs(bench.scene.data.qvel[:7]).max() < 6.0
            assert (bench.scene.data.qpos[:7] > low - 0.03).all()
            assert (bench.scene.data.qpos[:7] < high + 0.03).all()


def block(half_width: float, mass: float) -> PandaBench:
    def add_block(spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="block", pos=[0, 0, TABLE_Z + 0.041])
        body.add_freejoint(name="block_joint")
        size = [0.03, half_width, 0.04]
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=size, mass=mass, condim=4, friction=[0.95, 0.3, 0.1])

    return PandaBench(add_block)


@pytest.mark.parametrize("mass", [0.1, 0.5])
@pytest.mark.parametrize("half_width", [0.005, 0.035])
def test_blocks_are_lifted_and_held_without_slipping(half_width: float, mass: float) -> None:
    bench = block(half_width, mass)
    bench.reach((0.0, 0.0, 1.1), -1.0)
    bench.reach((0.0, 0.0, TABLE_Z + 0.04), -1.0)
    bench.reach((0.0, 0.0, TABLE_Z + 0.04), 1.0, steps=12)
    bench.reach((0.0, 0.1, 1.15), 1.0, steps=50)
    held = bench.scene.body_pose("block").position - bench.hand().position
    for step in range(60):
        bench.act([np.sin(step), np.cos(step), 0.0, 0.0, 0.0, 0.3 * np.sin(step / 3), 1.0])
    bench.act([0.0] * 6 + [1.0], 100)
    assert bench.scene.body_pose("block").position[2] > TABLE_Z + 0.2
    slip = np.linalg.norm(bench.scene.body_pose("block").position - bench.hand().position - held)
    assert slip < 0.004
