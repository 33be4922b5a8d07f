"""A book stands in its compartment of the caddy, and not on the walls."""

import math

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.planning.placements import is_narrow, on_floor, square_yaws
from ambidex.scripted_policies.registry import make_expert

BACK, FRONT = "libero_10/5", "libero_90/78"
FLOOR = {BACK: 0.022, FRONT: 0.005}  # above the caddy's origin [m]
BOTTOM = 0.002  # of the book, above its own origin [m]


def region(half_size: tuple[float, float, float], yaw: float = 0.0) -> RegionFrame:
    c, s = math.cos(yaw), math.sin(yaw)
    rotation: FloatArray = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return RegionFrame(position=np.array([0.0, 0.0, 0.5]), rotation=rotation, half_size=np.array(half_size))


def test_a_slot_is_narrow_for_a_book_and_not_for_a_mug() -> None:
    slot = region((0.028, 0.062, 0.06))
    assert is_narrow(slot, "black_book")
    assert not is_narrow(slot, "white_yellow_mug")
    assert not is_narrow(region((0.1, 0.1, 0.06)), "black_book")


def test_what_lies_needs_no_care() -> None:
    drawer = region((0.102, 0.0756, 0.03))
    assert is_narrow(drawer, "moka_pot")
    assert not is_narrow(drawer, "ketchup")


def test_a_book_goes_along_a_slot_and_either_way_into_a_square() -> None:
    along = square_yaws(region((0.028, 0.062, 0.06), yaw=0.3), "black_book")
    np.testing.assert_allclose(along, (0.3, 0.3 + math.pi))
    assert len(square_yaws(region((0.062, 0.062, 0.06)), "black_book")) == 4


def test_what_hangs_on_the_walls_is_not_on_the_floor() -> None:
    slot = region((0.028, 0.062, 0.06))
    assert on_floor(slot, 0.447)
    assert not on_floor(slot, 0.53)


@pytest.mark.parametrize("task", [BACK, FRONT])
def test_the_expert_stands_the_book_on_the_floor(task: str) -> None:
    env = make(task, cameras=())
    assert rollout(env, make_expert(env), 0, stop_at_success=True).success
    caddy, book = (env.scene.body_pose(f"{thing}_1_main") for thing in ("desk_caddy", "black_book"))
    assert (caddy.inverse() @ book).position[2] + BOTTOM == pytest.approx(FLOOR[task], abs=0.02)
    assert book.axis(2)[2] > math.cos(math.radians(15))
