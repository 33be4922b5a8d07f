"""Each stage and each check of plates_in_rack, true and false, in hand-placed states."""

import math

import numpy as np
import pytest
from placing import Placer

from ambidex.envs.env import make
from ambidex.envs.objects.aloha.plate_rack import APOTHEM, EIGHTH, FLOOR, HALF_THICKNESS, MAX_SHIFT, SLOTS, slot_middle
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.tasks.aloha.plates_in_rack import START_HEIGHT, slots_filled

RACK = (0.0, 0.62, 0.0)
UPRIGHT = quaternion_about((1, 0, 0), -math.pi / 2)  # a plate's axis is along the rack's y axis
PRESSED = 0.0001  # how deep a plate presses on the rack [m]


@pytest.fixture
def at() -> Placer:
    placer = Placer(make("plates_in_rack", cameras=()))
    placer.prop("rack", Pose.at(RACK))
    for arm, x in (("left", -0.1), ("right", 0.1)):
        placer.fingers(arm, 0.072)
        placer.prop(f"{arm}_stand", Pose.at((x, 0.31, 0.0)))
        placer.prop(f"{arm}_plate", Pose.at((x, 0.31, START_HEIGHT)))
    return placer


def stand(at: Placer, side: str, slot: int, *, tilt: float = 0.0, shift: float = 0.0, lift: float = -PRESSED) -> None:
    """A plate in a slot, tilted [rad] over its lowest side, shifted along the slot and lifted [m]."""
    position = slot_middle(slot) + np.array([shift, 0.0, lift])
    tilted = quaternion_product(quaternion_about((1, 0, 0), tilt), UPRIGHT)
    at.prop(f"{side}_plate", Pose.at(RACK) @ Pose.at(position, tilted))


def hold(at: Placer, side: str) -> None:
    """A plate's rim between the fingers of an arm."""
    across = quaternion_about((1, 0, 0), math.pi / 2)
    at.prop(f"{side}_plate", at.tool(side) @ Pose.at((APOTHEM, 0.0, 0.0), across))
    at.fingers(side, 2 * HALF_THICKNESS)


def filled(at: Placer) -> list[int | None]:
    at.scene.refresh()
    return list(slots_filled(at.scene).values())


def test_plates_on_their_stands_are_no_stage(at: Placer) -> None:
    assert at.stage() == 0
    assert filled(at) == [None, None]


def test_stage_1_and_2_one_and_both_plates_held(at: Placer) -> None:
    hold(at, "left")
    assert at.stage() == 1
    hold(at, "right")
    assert at.stage() == 2


def test_stage_3_a_plate_in_the_rack(at: Placer) -> None:
    stand(at, "right", 2)
    assert at.stage() == 3
    checks = at.checks()
    assert checks["right plate in a slot"] and not checks["left plate in a slot"]


def test_stage_4_both_plates_in_the_rack_and_one_touched(at: Placer) -> None:
    stand(at, "left", 0)
    stand(at, "right", 3)
    grip = np.array(RACK) + slot_middle(0) - np.array([APOTHEM, 0.0, 0.0])
    at.reach("left", Pose.at(grip))
    at.fingers("left", 2 * HALF_THICKNESS, only="left")
    assert at.stage() == 4
    checks = at.checks()
    assert not checks.pop("both released")
    assert all(checks.values())


def test_stage_5_both_released(at: Placer) -> None:
    stand(at, "left", 3)
    stand(at, "right", 1)
    assert at.stage() == 5
    assert all(at.checks().values())


def test_plates_in_slots_stay_a_success(at: Placer) -> None:
    stand(at, "left", 0)
    stand(at, "right", 1)
    for _ in range(20):
        at.hold_still(1)
    assert at.hold_still(5)


@pytest.mark.parametrize("slot", range(SLOTS))
def test_every_slot_counts(at: Placer, slot: int) -> None:
    stand(at, "left", slot)
    assert filled(at) == [slot, None]


def test_two_plates_in_one_slot_do_not_count(at: Placer) -> None:
    stand(at, "left", 2, shift=-0.029)
    stand(at, "right", 2, shift=0.029)
    assert at.stage() == 3
    assert not at.checks()["plates in different slots"]


@pytest.mark.parametrize(("degrees", "counts"), [(11.5, True), (-11.5, True), (12.5, False)])
def test_a_plate_has_to_be_upright(at: Placer, degrees: float, counts: bool) -> None:
    stand(at, "left", 2, tilt=math.radians(degrees))
    assert (filled(at)[0] == 2) is counts


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"shift": MAX_SHIFT - 0.001}, True),
        ({"shift": MAX_SHIFT + 0.001}, False),
        ({"lift": 0.009}, True),  # on a corner
        ({"lift": 0.011}, False),
    ],
)
def test_a_plate_has_to_stand_on_the_bars(at: Placer, change: dict[str, float], counts: bool) -> None:
    stand(at, "left", 2, **change)
    assert (filled(at)[0] == 2) is counts


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_a_plate_beside_the_rack_does_not_count(at: Placer, slot: int) -> None:
    stand(at, "left", slot)
    assert filled(at) == [None, None]


def test_a_plate_across_the_slots_does_not_count(at: Placer) -> None:
    across = quaternion_product(quaternion_about((0, 0, 1), math.pi / 2), UPRIGHT)
    at.prop("left_plate", Pose.at(RACK) @ Pose.at((0.0, 0.0, FLOOR + APOTHEM), across))
    assert filled(at) == [None, None]


def test_a_plate_that_stands_on_another_side_counts(at: Placer) -> None:
    turned = quaternion_product(UPRIGHT, quaternion_about((0, 0, 1), 3 * EIGHTH))
    at.prop("left_plate", Pose.at(RACK) @ Pose.at(slot_middle(3), turned))
    assert filled(at) == [3, None]


@pytest.mark.parametrize(("speed", "rests"), [(0.04, True), (0.06, False)])
def test_both_plates_have_to_be_at_rest(at: Placer, speed: float, rests: bool) -> None:
    stand(at, "left", 1)
    stand(at, "right", 3)
    joint = at.scene.model.body("left_plate").jntadr[0]
    at.scene.data.joint(int(joint)).qvel[:3] = np.array([speed, 0.0, 0.0])
    assert at.checks()["both at rest"] is rests
