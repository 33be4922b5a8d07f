"""Objects are placed aligned with narrow regions and down on their floor, and leave clearance for others."""

import math

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.planning.placements import (
    MAX_CLEARANCE,
    aligned_yaws,
    clearance_beside,
    is_narrow,
    is_on_floor,
)
from ambidex.scripted_policies.registry import make_expert

BACK, FRONT, BOTH_IN_BASKET = "libero_10/5", "libero_90/78", "libero_10/1"
FLOOR = {BACK: 0.022, FRONT: 0.005}  # above the caddy's origin [m]
BOTTOM = 0.002  # of the book, above its own origin [m]
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])


def region(half_size: tuple[float, float, float], yaw: float = 0.0) -> RegionFrame:
    c, s = math.cos(yaw), math.sin(yaw)
    rotation: FloatArray = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return RegionFrame(position=np.array([0.0, 0.0, 0.5]), rotation=rotation, half_size=np.array(half_size))


def test_a_compartment_is_narrow_for_a_book_and_not_for_a_mug() -> None:
    compartment = region((0.028, 0.062, 0.06))
    assert is_narrow(compartment, "black_book")
    assert not is_narrow(compartment, "white_yellow_mug")
    assert not is_narrow(region((0.1, 0.1, 0.06)), "black_book")


def test_a_region_is_not_narrow_for_an_object_that_lies() -> None:
    drawer = region((0.102, 0.0756, 0.03))
    assert is_narrow(drawer, "moka_pot")
    assert not is_narrow(drawer, "ketchup")


def test_a_book_fits_along_a_compartment_and_at_four_yaws_into_a_square() -> None:
    along = aligned_yaws(region((0.028, 0.062, 0.06), yaw=0.3), "black_book")
    np.testing.assert_allclose(along, (0.3, 0.3 + math.pi))
    assert len(aligned_yaws(region((0.062, 0.062, 0.06)), "black_book")) == 4


def test_an_object_that_hangs_on_the_walls_is_not_on_the_floor() -> None:
    compartment = region((0.028, 0.062, 0.06))
    assert is_on_floor(compartment, 0.447)
    assert not is_on_floor(compartment, 0.53)


def test_a_can_at_the_wall_leaves_clearance_for_a_box_and_one_in_the_middle_does_not() -> None:
    basket = region((0.061, 0.061, 0.07))

    def clearance(x: float) -> float:
        can = Pose(np.array([x, 0.0, 0.47]), UPRIGHT)
        return clearance_beside(basket, "alphabet_soup", can, "cream_cheese")

    assert clearance(0.0) < 0.0 < clearance(0.03) <= MAX_CLEARANCE
    assert clearance(0.03) == pytest.approx(clearance(-0.03), abs=0.001)


@pytest.mark.parametrize("task", [BACK, FRONT])
def test_the_expert_puts_the_book_on_the_floor_of_its_compartment(task: str) -> None:
    env = make(task, cameras=())
    assert rollout(env, make_expert(env), 0, stop_at_success=True).success
    caddy, book = (env.scene.body_pose(f"{name}_1_main") for name in ("desk_caddy", "black_book"))
    assert (caddy.inverse() @ book).position[2] + BOTTOM == pytest.approx(FLOOR[task], abs=0.02)
    assert book.axis(2)[2] > math.cos(math.radians(15))


def test_the_expert_puts_two_objects_side_by_side_into_a_basket() -> None:
    env = make(BOTH_IN_BASKET, cameras=())
    result = rollout(env, make_expert(env), 0, stop_at_success=True)
    assert result.success, result.reason
    basket, *objects = (env.scene.body_pose(f"{name}_1_main") for name in ("basket", "cream_cheese", "butter"))
    assert all(0.0 < (basket.inverse() @ obj).position[2] < 0.025 for obj in objects)
