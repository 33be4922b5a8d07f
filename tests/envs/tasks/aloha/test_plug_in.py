"""Each stage and each check of plug_in and its variants, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import TOUCH, Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.plug_and_socket import FACE, GRIP_HALF_SIZE, SOCKET_HALF_SIZE, TIP
from ambidex.envs.registry import SUITES
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.aloha.plug_in import PlugIn, PlugInLoose, PlugInTight, pin_in_socket
from ambidex.scripted_policies.arm_motion import tool_orientation

PLUG_WIDTH, SOCKET_WIDTH = 2 * GRIP_HALF_SIZE[1], 2 * SOCKET_HALF_SIZE[1]
SOCKET = Pose.at((-0.05, 0.6, SOCKET_HALF_SIZE[2] - TOUCH))
AWAY = Pose.at((0.3, 0.75, GRIP_HALF_SIZE[2] - TOUCH))


@pytest.fixture(params=SUITES["plug_in_clearances"])
def at(request: pytest.FixtureRequest) -> Placer:
    placer = Placer(make(request.param, cameras=()))
    for arm in ("left", "right"):
        placer.fingers(arm, 0.072)
    placer.prop("socket", SOCKET)
    placer.prop("plug", AWAY)
    return placer


def inserted(depth: float, *, y: float = 0.0, z: float = 0.0, turn: float = 0.0) -> Pose:
    """The plug in the socket's frame, its pin's end at a depth, beside the axis, turned about that end [m, rad]."""
    facing = quaternion_about((0, 0, 1), math.pi + turn)
    return Pose.at((FACE - depth, y, z), facing) @ Pose.at((-TIP, 0.0, 0.0))


def plug_in(at: Placer, depth: float, **change: float) -> None:
    at.prop("plug", SOCKET @ inserted(depth, **change))


def hold_both(
    at: Placer, depth: float = -0.2, *, only: str = "both", socket_only: str = "both", **change: float
) -> None:
    """Both parts in hands, in the air, the pin's end at a depth [m]."""
    socket = Pose.at((-0.1, 0.5, 0.2))
    plug = socket @ inserted(depth, **change)
    at.reach("left", Pose(socket.position, tool_orientation(0.0, 0.8)))
    at.reach("right", Pose(plug.position, tool_orientation(math.pi, 0.8)))
    at.fingers("left", SOCKET_WIDTH, only=socket_only)
    at.fingers("right", PLUG_WIDTH, only=only)
    at.prop("socket", socket)
    at.prop("plug", plug)


def test_parts_on_the_table_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0


def test_stage_1_plug_held(at: Placer) -> None:
    at.in_gripper("right", "plug", PLUG_WIDTH)
    assert at.stage() == 1
    at.in_gripper("right", "plug", PLUG_WIDTH, only="left")
    assert at.stage() == 0


def test_a_plug_held_on_the_table_is_no_stage(at: Placer) -> None:
    at.reach("right", Pose.at((0.2, 0.5, 0.03), tool_orientation(math.pi, math.pi / 2)))
    at.fingers("right", PLUG_WIDTH)
    at.prop("plug", Pose.at((0.2, 0.5, GRIP_HALF_SIZE[2] - TOUCH)))
    assert at.stage() == 0


def test_stage_2_both_held(at: Placer) -> None:
    hold_both(at)
    assert at.stage() == 2
    hold_both(at, socket_only="left")
    assert at.stage() == 1


def test_stage_3_aligned_in_front_of_the_hole(at: Placer) -> None:
    hold_both(at, -0.029)
    assert at.stage() == 3


@pytest.mark.parametrize("change", [{"y": 0.007}, {"z": -0.007}, {"turn": 0.18}])
def test_a_pin_beside_the_axis_is_not_aligned(at: Placer, change: dict[str, float]) -> None:
    hold_both(at, -0.029, **change)
    assert at.stage() == 2


def test_a_pin_far_from_the_hole_is_not_aligned(at: Placer) -> None:
    hold_both(at, -0.031)
    assert at.stage() == 2


@pytest.mark.parametrize(("depth", "stage"), [(0.009, 0), (0.011, 4), (0.024, 4), (0.026, 5)])
def test_stages_4_and_5_in_the_hole(at: Placer, depth: float, stage: int) -> None:
    plug_in(at, depth)
    assert at.stage() == stage


def test_all_checks_hold_for_a_plug_in_the_socket(at: Placer) -> None:
    plug_in(at, 0.026)
    assert all(at.checks().values())


def test_a_plug_in_the_socket_stays_there(at: Placer) -> None:
    plug_in(at, 0.03)
    at.hold_still(40)
    assert at.hold_still(5)


def test_a_plug_that_is_not_deep_enough(at: Placer) -> None:
    plug_in(at, 0.024)
    assert not at.checks()["pin 25 mm deep"]


@pytest.mark.parametrize(
    "change", [{"y": 0.007}, {"z": 0.007}, {"y": 0.005, "z": 0.005}, {"turn": 0.18}, {"turn": math.pi}]
)
def test_a_pin_beside_the_axis_of_the_hole(at: Placer, change: dict[str, float]) -> None:
    plug_in(at, 0.03)
    assert at.checks()["pin on the axis of the hole"]
    plug_in(at, 0.03, **change)
    assert not at.checks()["pin on the axis of the hole"]


def test_a_socket_in_the_air_is_not_on_the_table(at: Placer) -> None:
    at.prop("socket", SOCKET.shifted((0.0, 0.0, 0.002)))
    assert not at.checks()["socket upright on the table"]


def test_a_socket_on_its_side_is_not_upright(at: Placer) -> None:
    at.prop("socket", Pose.at(SOCKET.position, quaternion_about((1, 0, 0), math.pi / 2)))
    assert not at.checks()["socket upright on the table"]


def test_a_plug_on_the_table_is_not_off_it(at: Placer) -> None:
    assert not at.checks()["plug off the table"]
    plug_in(at, 0.03)
    assert at.checks()["plug off the table"]


@pytest.mark.parametrize("body", ["plug", "socket"])
@pytest.mark.parametrize("arm", ["left", "right"])
def test_what_an_arm_touches_is_not_released(at: Placer, arm: str, body: str) -> None:
    plug_in(at, 0.03)
    assert at.checks()["both released"]
    at.in_gripper(arm, body, 0.02, only="left")
    assert not at.checks()["both released"]


@pytest.mark.parametrize("body", ["plug", "socket"])
@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_what_moves_is_not_at_rest(at: Placer, body: str, speed: float, rests: bool) -> None:
    plug_in(at, 0.03)
    at.scene.data.joint(f"{body}_joint").qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["both at rest"] is rests


@pytest.mark.parametrize(("task", "clearance"), [(PlugIn, 0.0015), (PlugInLoose, 0.003), (PlugInTight, 0.00075)])
@pytest.mark.parametrize("axis", ["y", "z"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_pin_touches_a_wall_after_half_the_clearance(
    task: type[PlugIn], clearance: float, axis: str, sign: int
) -> None:
    placer = Placer(make(task.name, cameras=()))
    placer.prop("socket", SOCKET)
    for share, touches in ((0.9, False), (1.1, True)):
        plug_in(placer, 0.03, **{axis: share * sign * clearance / 2})
        placer.scene.refresh()
        assert placer.scene.groups_touch("plug", "socket") is touches


def test_variants_start_from_the_same_states() -> None:
    poses = []
    for task in SUITES["plug_in_clearances"]:
        env = make(task, cameras=())
        env.reset(3)
        poses.append(env.scene.body_poses(("plug", "socket")))
    assert np.array_equal(poses[0], poses[1])
    assert np.array_equal(poses[0], poses[2])


def test_the_pin_in_the_frame_of_the_socket(at: Placer) -> None:
    plug_in(at, 0.02, y=0.001, turn=0.05)
    at.scene.refresh()
    tip, angle = pin_in_socket(at.scene)
    assert tip == pytest.approx([FACE - 0.02, 0.001, 0.0], abs=1e-9)
    assert angle == pytest.approx(0.05, abs=1e-6)
