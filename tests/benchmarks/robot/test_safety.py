"""Every limit is noticed, and named."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from robot_fakes import SPEC, FakeArm

from ambidex.benchmarks.robot.protocol import RobotObservation, SafetyLimits
from ambidex.benchmarks.robot.safety import RobotError, SafetyError, SafetyGuard, check_robot_spec
from ambidex.errors import UsageError

MEASURED = FakeArm().measured()
POSE = replace(SPEC, control="ee", action_names=("x", "y", "z", "gripper"))
INCREMENT = replace(SPEC, control="ee", action_names=("arm_dx", "arm_dy", "arm_dz", "arm_gripper"))
BOX = ((-0.3, -0.3, 0.02), (0.3, 0.3, 0.5))
AT_CENTRE = replace(MEASURED, ee_positions=np.array([[0.0, 0.0, 0.1]]))


def guard(limits=FakeArm.limits, spec=SPEC):
    return SafetyGuard(spec, limits)


def test_a_command_within_all_limits_is_sent_as_float32():
    action = guard().check_action([0.01, -0.05, 0.1], MEASURED)
    assert action.dtype == np.float32 and action.tolist() == pytest.approx([0.01, -0.05, 0.1])


@pytest.mark.parametrize(
    ("action", "named"),
    [
        ([0, 0], "shape"),
        ([[0, 0, 0]], "shape"),
        ([0, np.nan, 0], "elbow"),
        ([0, 0, np.inf], "gripper"),
        ([0, 0, -0.001], "gripper"),
        ([0, 0, 1.001], "gripper"),
        ([0.061, 0, 0], "shoulder"),
    ],
)
def test_a_command_beyond_a_limit_is_refused(action, named):
    with pytest.raises(SafetyError, match=named):
        guard().check_action(action, MEASURED)


def test_speed_is_that_from_one_command_to_the_next():
    checked = guard()
    for shoulder in (0.059, 0.118, 0.06):
        checked.check_action([shoulder, 0, 0], MEASURED)  # the arm is not there yet
    with pytest.raises(SafetyError, match="shoulder"):
        checked.check_action([0.13, 0, 0], MEASURED)
    checked.reset()
    with pytest.raises(SafetyError, match="shoulder"):
        checked.check_action([0.118, 0, 0], MEASURED)


def test_a_refused_command_is_not_the_one_that_the_next_is_compared_with():
    checked = guard()
    with pytest.raises(SafetyError):
        checked.check_action([0.1, 0, 0], MEASURED)
    with pytest.raises(SafetyError):
        checked.check_action([0.12, 0, 0], MEASURED)


@pytest.mark.parametrize(("x", "inside"), [(0.29, True), (0.31, False)])
def test_poses_must_be_in_the_workspace(x, inside):
    checked = guard(SafetyLimits(workspace=BOX), POSE)
    if inside:
        checked.check_action([x, 0, 0.1, 0], AT_CENTRE)
    else:
        with pytest.raises(SafetyError, match="workspace"):
            checked.check_action([x, 0, 0.1, 0], AT_CENTRE)


def test_the_first_pose_is_compared_with_the_measured_one():
    limits = SafetyLimits(speed=(1, 1, 1, np.inf))
    guard(limits, POSE).check_action([0.015, 0, 0.1, 1], AT_CENTRE)
    with pytest.raises(SafetyError, match="x changes"):
        guard(limits, POSE).check_action([0.025, 0, 0.1, 1], AT_CENTRE)


@pytest.mark.parametrize(("down", "inside"), [(-0.7, True), (-0.9, False)])
def test_increments_must_lead_into_the_workspace(down, inside):
    checked = guard(SafetyLimits(workspace=BOX, increment=0.1), INCREMENT)
    if inside:
        checked.check_action([0, 0, down, 1], AT_CENTRE)
    else:
        with pytest.raises(SafetyError, match="workspace"):
            checked.check_action([0, 0, down, 1], AT_CENTRE)


def test_a_measured_position_outside_the_workspace_is_refused_under_joint_control_too():
    checked = guard(SafetyLimits(workspace=BOX))
    checked.check_observation(AT_CENTRE)
    with pytest.raises(SafetyError, match="workspace"):
        checked.check_observation(replace(MEASURED, ee_positions=np.array([[0.0, 0.0, 0.01]])))
    with pytest.raises(RobotError, match="ee_positions"):
        checked.check_observation(MEASURED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qpos", np.zeros(4)),
        ("qpos", np.array([0, np.nan, 0])),
        ("qpos", "here"),
        ("qvel", np.zeros(2)),
        ("objects", np.zeros(7)),
        ("parts", {"ee_pos": np.array([np.inf])}),
    ],
)
def test_what_the_robot_measures_must_have_the_shapes_of_its_spec_and_be_finite(field, value):
    with pytest.raises(RobotError) as caught:
        guard().check_observation(replace(MEASURED, **{field: value}))
    assert field in caught.value.facts["field"]


@pytest.mark.parametrize("image", [np.zeros((24, 32, 3)), np.zeros((32, 24, 3), np.uint8), None])
def test_images_must_have_the_size_and_type_of_the_spec(image):
    with pytest.raises(RobotError, match="front"):
        guard().check_image("front", image)


@pytest.mark.parametrize(
    "limits",
    [
        SafetyLimits(low=(0, 0)),
        SafetyLimits(low=(0, 0, 2), high=(1, 1, 1)),
        SafetyLimits(speed=(1, np.nan, 1)),
        SafetyLimits(workspace=((0, 0, 0),)),
        SafetyLimits(workspace=((0, 0, 0), (1, 1))),
        SafetyLimits(workspace=((0, 0, 0), (1, 1, np.nan))),
        SafetyLimits(low=("a", "b", "c")),
        SafetyLimits(increment=-0.1),
        SafetyLimits(increment=np.nan),
        SafetyLimits(workspace=((0, 0, 1), (1, 1, 0))),
    ],
)
def test_impossible_limits_are_refused(limits):
    with pytest.raises(UsageError):
        guard(limits)


def test_a_workspace_for_increments_needs_their_size():
    with pytest.raises(UsageError) as caught:
        guard(SafetyLimits(workspace=BOX), INCREMENT)
    assert caught.value.facts["field"] == "increment"


NAMES = [
    "tcp.{}",
    "{}_tcp",
    "pos_{}m",
    "delta_{}",
    "vel_{}",
    "tcp_vel_{}",
    "Left_Delta_pos_{}",
    "rot_{}",
    "tcp_vel_d{}",
]


@pytest.mark.parametrize("limits", [SafetyLimits(workspace=BOX, increment=0.1), SafetyLimits(speed=(1, 1, 1, 1))])
@pytest.mark.parametrize("names", NAMES)
def test_a_limit_is_refused_if_no_action_is_known_as_a_position(names, limits):
    spec = replace(POSE, action_names=(*(names.format(axis) for axis in "xyz"), "gripper"))
    with pytest.raises(UsageError) as caught:
        guard(limits, spec)
    assert caught.value.facts["field"] == "action_names"
    guard(SafetyLimits(), spec)


def test_rotations_and_velocities_beside_positions_are_not_taken_for_positions():
    names = ("rot_x", "rot_y", "rot_z", "arm_x", "arm_y", "arm_z", "vel_x", "vel_y", "vel_z")
    checked = guard(SafetyLimits(workspace=BOX), replace(POSE, action_names=names))
    checked.check_observation(AT_CENTRE)
    checked.check_action([3, 3, 3, 0, 0, 0.1, 2, 2, 2], AT_CENTRE)
    with pytest.raises(SafetyError, match="workspace"):
        checked.check_action([0, 0, 0, 0.31, 0, 0.1, 0, 0, 0], AT_CENTRE)


def test_actions_that_are_positions_and_increments_are_refused_beside_a_workspace():
    spec = replace(POSE, action_names=("left_x", "left_y", "left_z", "right_dx", "right_dy", "right_dz"))
    with pytest.raises(UsageError, match="both"):
        guard(SafetyLimits(workspace=BOX, increment=0.1), spec)


TWO_ARMS = replace(POSE, action_names=tuple(f"{arm}_{axis}" for axis in "xyz" for arm in ("left", "right")))


@pytest.mark.parametrize("arm", [0, 1])
def test_both_arms_must_stay_in_the_workspace(arm):
    outside = np.array([[0.0, 0.0, 0.1]] * 2)
    inside = replace(MEASURED, ee_positions=outside.copy())
    outside[arm, 2] = 0.6
    checked = guard(SafetyLimits(workspace=BOX), TWO_ARMS)
    checked.check_observation(inside)
    checked.check_action([0, 0, 0, 0, 0.1, 0.1], inside)
    with pytest.raises(SafetyError, match="workspace"):
        checked.check_observation(replace(MEASURED, ee_positions=outside))
    with pytest.raises(SafetyError, match="workspace"):
        checked.check_action(outside.T.ravel(), inside)


@pytest.mark.parametrize("positions", [None, np.full((1, 3), np.nan), np.zeros(3), np.zeros((2, 3)), "here"])
def test_a_speed_limit_of_poses_needs_measured_positions(positions):
    checked = guard(SafetyLimits(speed=(1, 1, 1, np.inf)), POSE)
    checked.check_observation(AT_CENTRE)
    with pytest.raises(RobotError, match="ee_positions"):
        checked.check_observation(replace(MEASURED, ee_positions=positions))
    guard(SafetyLimits(speed=(np.inf, np.inf, np.inf, 1)), POSE).check_observation(MEASURED)


@pytest.mark.parametrize("positions", [np.full((1, 3), np.nan), np.zeros(3), np.zeros((0, 3)), "here"])
def test_measured_positions_are_checked_whenever_they_are_given(positions):
    for spec in (POSE, SPEC):
        with pytest.raises(RobotError, match="ee_positions"):
            guard(SafetyLimits(), spec).check_observation(replace(MEASURED, ee_positions=positions))


def test_a_speed_limit_of_increments_is_refused():
    with pytest.raises(UsageError) as caught:
        guard(SafetyLimits(speed=(1, 1, 1, 1)), INCREMENT)
    assert caught.value.facts["field"] == "speed"
    guard(SafetyLimits(speed=(np.inf,) * 4), INCREMENT)


@pytest.mark.parametrize("limit", [0.1, 0.3, 0.7, 1.1, 2.8973, 3.1])
def test_commands_and_positions_at_a_limit_are_within_it(limit):
    joints = guard(SafetyLimits(low=(-limit,) * 3, high=(limit,) * 3))
    for side in (-1, 1):
        joints.check_action([side * limit] * 3, MEASURED)
    box = guard(SafetyLimits(workspace=((-limit,) * 3, (limit,) * 3)), POSE)
    for side in (-1, 1):
        at_corner = replace(MEASURED, ee_positions=np.full((1, 3), side * limit))
        box.check_observation(at_corner)
        box.check_action([*[side * limit] * 3, 0], at_corner)


def test_commands_that_change_as_fast_as_is_allowed_are_sent():
    checked, last = guard(SafetyLimits(speed=(0.7, 0.7, 0.7))), np.zeros(3)
    for step in range(1, 200):
        last = checked.check_action(last + 0.7 / SPEC.control_hz * (1 if step % 150 < 100 else -1), MEASURED)


def test_limits_may_be_arrays():
    box = guard(SafetyLimits(workspace=np.array(BOX), low=np.full(4, -1.0), speed=np.full(4, np.inf)), POSE)
    with pytest.raises(SafetyError, match="workspace"):
        box.check_action([0.31, 0, 0.1, 0], AT_CENTRE)


@pytest.mark.parametrize(
    "spec",
    [
        None,
        RobotObservation(qpos=np.zeros(3)),
        replace(SPEC, stages=()),
        replace(SPEC, joint_names=("one",)),
        replace(SPEC, control_hz=0),
        replace(SPEC, family="unknown"),
    ],
)
def test_a_spec_with_which_nothing_can_be_evaluated_is_refused(spec):
    with pytest.raises(UsageError):
        check_robot_spec(spec)
    assert check_robot_spec(SPEC) is SPEC


def test_drivers_need_neither_simulator_nor_torch():
    code = (
        "import sys; import ambidex.benchmarks.robot.protocol, ambidex.benchmarks.evaluate_robot;"
        "print(sorted({'mujoco', 'torch', 'av', 'transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr
