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
    checked = guard(SafetyLimits(workspace=BOX, increment=0.1, speed=(1, 1, 1, 1)), INCREMENT)
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


@pytest.mark.parametrize("names", ["tcp.{}", "{}_tcp", "pos_{}m"])
def test_a_workspace_is_refused_if_no_action_is_known_as_a_position(names):
    spec = replace(POSE, action_names=(*(names.format(axis) for axis in "xyz"), "gripper"))
    with pytest.raises(UsageError) as caught:
        guard(SafetyLimits(workspace=BOX), spec)
    assert caught.value.facts["field"] == "action_names"
    guard(SafetyLimits(), spec)


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
