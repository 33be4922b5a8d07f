"""Objects stay in bowls, mugs and containers, and stand on plates."""

import mujoco
import numpy as np
import pytest
from objects_on_a_table import TABLE_TOP, deepest, objects_on_a_table, tilt

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.objects.registry import object_spec

HOLLOW = [
    "akita_black_bowl",
    "white_bowl",
    "glazed_rim_porcelain_ramekin",
    "porcelain_mug",
    "white_yellow_mug",
    "red_coffee_mug",
    "basket",
    "wooden_tray",
]
GROCERIES = [
    "alphabet_soup",
    "bbq_sauce",
    "butter",
    "chocolate_pudding",
    "cream_cheese",
    "ketchup",
    "milk",
    "orange_juice",
    "salad_dressing",
    "tomato_sauce",
]
BALL = 0.02  # radius [m]


def inside(data: mujoco.MjData, body: str, holder: str, category: str) -> bool:
    """Whether a body's origin is in the box of another."""
    offset = data.body(holder).xmat.reshape(3, 3).T @ (data.body(body).xpos - data.body(holder).xpos)
    given = object_properties(category)
    return bool((offset > given.low).all() and (offset < given.high).all())


@pytest.mark.parametrize("category", HOLLOW)
def test_a_ball_of_four_centimetres_stays_inside(category: str) -> None:
    spec = mujoco.MjSpec()
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.5, 0.5, 0.02), pos=(0, 0, -0.02))
    given = object_properties(category)
    spec.attach(object_spec(category), frame=spec.worldbody.add_frame(pos=(0, 0, -given.low[2])), prefix="it_")
    spec.body("it_main").add_freejoint()
    ball = spec.worldbody.add_body(name="ball", pos=(*given.foot, given.size[2] + BALL))
    ball.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(BALL, 0, 0), mass=0.02)
    ball.add_freejoint()
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, 500)
    assert inside(data, "ball", "it_main", category)
    assert tilt(data, "it_main") < 1.0


@pytest.mark.parametrize("grocery", GROCERIES)
@pytest.mark.parametrize("yaw", [0.0, 0.6, np.pi / 2])
def test_a_grocery_dropped_into_the_basket_lies_in_it(grocery: str, yaw: float) -> None:
    model, data = objects_on_a_table("basket", grocery)
    rim = TABLE_TOP + object_properties("basket").size[2]
    data.joint("object1_joint0").qpos = (
        0,
        0,
        rim - object_properties(grocery).low[2],
        np.cos(yaw / 2),
        0,
        0,
        np.sin(yaw / 2),
    )
    mujoco.mj_step(model, data, 750)
    offset = data.body("object1_main").xpos - data.body("object0_main").xpos
    region = object_properties("basket").sites["contain_region"]
    assert region.half_size is not None
    assert (np.abs(offset - region.position) < region.half_size).all()
    assert tilt(data, "object0_main") < 1.0


@pytest.mark.parametrize("turn", np.arange(8) * np.pi / 8)
def test_cream_cheese_stays_in_the_bowl(turn: float) -> None:
    model, data = objects_on_a_table("akita_black_bowl", "cream_cheese")
    data.joint("object1_joint0").qpos[2] += 0.06
    data.joint("object1_joint0").qpos[3:] = np.cos(turn / 2), 0, 0, np.sin(turn / 2)
    mujoco.mj_step(model, data, 1000)
    offset = data.body("object1_main").xpos - data.body("object0_main").xpos
    assert np.linalg.norm(offset[:2]) < 0.03
    assert 0.01 < offset[2] < 0.055
    assert tilt(data, "object0_main") < 2.0


@pytest.mark.parametrize(
    ("below", "above", "height"),
    [
        ("plate", "akita_black_bowl", 0.02),
        ("plate", "white_bowl", 0.02),
        ("cookies", "akita_black_bowl", 0.02),
        ("glazed_rim_porcelain_ramekin", "akita_black_bowl", 0.045),
    ],
)
def test_one_object_stands_on_another(below: str, above: str, height: float) -> None:
    model, data = objects_on_a_table(below, above)
    data.joint("object1_joint0").qpos[2] = TABLE_TOP + height
    mujoco.mj_step(model, data, 1000)
    offset = data.body("object1_main").xpos - data.body("object0_main").xpos
    assert np.linalg.norm(offset[:2]) < 0.005
    assert offset[2] > 0.0  # required by On
    assert tilt(data, "object1_main") < 2.0
    assert np.abs(data.qvel).max() < 0.02
    assert deepest(data) < 5e-4


@pytest.mark.parametrize("mug", ["porcelain_mug", "white_yellow_mug", "red_coffee_mug"])
def test_a_mug_stands_upright_in_the_middle_of_a_plate(mug: str) -> None:
    model, data = objects_on_a_table("plate", mug)
    data.joint("object1_joint0").qpos[:2] = np.negative(object_properties(mug).foot)
    data.joint("object1_joint0").qpos[2] += 0.01
    mujoco.mj_step(model, data, 1000)
    assert tilt(data, "object1_main") < 1.0
    assert np.linalg.norm((data.body("object1_main").xpos - data.body("object0_main").xpos)[:2]) < 0.03
