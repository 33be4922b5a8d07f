"""Every kind of goal that LIBERO has with a fixture can be met: the thing is put there, settles, and the goal holds."""

import numpy as np
import pytest
from fixture_scene import FixtureScene

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import FloatArray

CABINETS = ("wooden_cabinet", "white_cabinet")
STUDY = "libero_study_tabletop_manipulation"
UPRIGHT = quaternion_about((0, 0, 1), 0.0)
ON_ITS_SIDE = quaternion_about((0, 1, 0), np.pi / 2)
TURNED_OUT = quaternion_about((0, 0, 1), -np.pi / 2)
OPEN = -0.155
MAX_DEPTH = 2e-4  # of a contact at rest [m]


def assert_at_rest(scene: FixtureScene) -> None:
    assert scene.speed() < 5e-3
    assert scene.deepest() < MAX_DEPTH


def put_into_drawer(scene: FixtureScene, level: str, thing: str, quaternion: FloatArray = UPRIGHT) -> None:
    scene.set_joint(f"{level}_level", OPEN)
    site = object_properties("wooden_cabinet").sites[f"{level}_region"]
    floor = site.position[2] - 0.03
    lowest, x = (object_properties(thing).low[2], 0.0) if quaternion is UPRIGHT else (-0.03, -0.07)
    scene.put((x, site.position[1] + OPEN, floor + 0.005 - lowest), quaternion)
    scene.run(0.8)


@pytest.mark.parametrize("category", CABINETS)
@pytest.mark.parametrize("level", ["top", "middle", "bottom"])
def test_a_bowl_goes_into_a_drawer_that_closes(category: str, level: str) -> None:
    scene = FixtureScene(category, "akita_black_bowl")
    put_into_drawer(scene, level, "akita_black_bowl")
    assert scene.holds("in", f"{level}_region")
    assert scene.holds("open", f"{level}_region")
    scene.push(f"cabinet_{level}", (0.0, 12.0, 0.0), 2.0)
    scene.run(0.5)
    assert scene.holds("in", f"{level}_region")
    assert scene.holds("close", f"{level}_region")
    assert_at_rest(scene)


@pytest.mark.parametrize("thing", ["butter", "chocolate_pudding", "ketchup"])
def test_groceries_go_into_the_top_drawer(thing: str) -> None:
    scene = FixtureScene("white_cabinet", thing)
    put_into_drawer(scene, "top", thing)
    scene.push("cabinet_top", (0.0, 12.0, 0.0), 2.0)
    scene.run(0.5)
    assert scene.holds("in", "top_region")
    assert scene.holds("close", "top_region")


@pytest.mark.parametrize("quaternion", [UPRIGHT, ON_ITS_SIDE], ids=["standing", "lying"])
def test_the_wine_bottle_goes_into_the_bottom_drawer(quaternion: FloatArray) -> None:
    scene = FixtureScene("white_cabinet", "wine_bottle")
    put_into_drawer(scene, "bottom", "wine_bottle", quaternion)
    assert scene.holds("in", "bottom_region")
    assert_at_rest(scene)


@pytest.mark.parametrize(
    ("category", "region", "thing", "xy", "quaternion"),
    [
        ("wooden_cabinet", "top_side", "akita_black_bowl", (0.0, 0.01), UPRIGHT),
        ("wooden_cabinet", "top_side", "wine_bottle", (0.0, 0.01), UPRIGHT),
        ("white_cabinet", "top_side", "akita_black_bowl", (0.05, 0.03), UPRIGHT),
        ("flat_stove", "cook_region", "moka_pot", (0.15, 0.0), UPRIGHT),
        ("flat_stove", "cook_region", "moka_pot", (0.15, 0.05), TURNED_OUT),
        ("flat_stove", "cook_region", "chefmate_8_frypan", (0.15, 0.0), TURNED_OUT),
        ("flat_stove", "cook_region", "akita_black_bowl", (0.15, 0.0), UPRIGHT),
        ("wine_rack", "top_region", "wine_bottle", (0.0, -0.08), UPRIGHT),
        ("wine_rack", "top_region", "wine_bottle", (0.09, -0.072), UPRIGHT),
        ("wine_rack", "top_region", "wine_bottle", (-0.09, -0.088), UPRIGHT),
        ("wooden_two_layer_shelf", "top_side", "white_bowl", (0.0, 0.015), UPRIGHT),
        ("wooden_two_layer_shelf", "top_side", "chefmate_8_frypan", (-0.03, 0.015), UPRIGHT),
        ("wooden_two_layer_shelf", "top_side", "yellow_book", (0.0, 0.015), UPRIGHT),
    ],
)
def test_things_stand_on_top(
    category: str, region: str, thing: str, xy: tuple[float, float], quaternion: FloatArray
) -> None:
    scene = FixtureScene(category, thing)
    top = {"flat_stove": 0.0255, "wine_rack": 0.2386}.get(category, object_properties(category).high[2])
    scene.put((*xy, top + 0.004 - object_properties(thing).low[2]), quaternion)
    assert not scene.holds("on", region)  # it does not touch yet
    scene.run(1.0)
    assert scene.holds("on", region)
    assert_at_rest(scene)


@pytest.mark.parametrize("thing", ["white_yellow_mug", "porcelain_mug", "red_coffee_mug"])
@pytest.mark.parametrize("yaw", [0.0, np.pi / 2, np.pi])
def test_a_mug_goes_into_the_microwave_that_closes(thing: str, yaw: float) -> None:
    scene = FixtureScene("microwave", thing)
    scene.set_joint("microjoint", -1.5)
    scene.put((-0.03, 0.01, 0.018 - object_properties(thing).low[2]), quaternion_about((0, 0, 1), yaw))
    scene.run(0.5)
    assert scene.holds("in", "heating_region")
    assert scene.holds("open")
    for _ in range(80):
        angle = scene.joint("microjoint")
        scene.push("microdoorroot", (-3.0 * np.sin(angle), 3.0 * np.cos(angle), 0.0), 0.05)
    scene.run(0.5)
    assert scene.holds("close")
    assert scene.holds("in", "heating_region")
    assert_at_rest(scene)


@pytest.mark.parametrize("side", ["left", "right", "back", "front"])
@pytest.mark.parametrize("thing", ["black_book", "yellow_book"])
@pytest.mark.parametrize("yaw", [0.0, np.pi])
def test_a_book_stands_in_each_compartment_of_the_caddy(side: str, thing: str, yaw: float) -> None:
    scene = FixtureScene("desk_caddy", thing)
    site = object_properties("desk_caddy").sites[f"{side}_contain_region"]
    centre = object_properties(thing).centre[:2] * np.cos(yaw)
    height = (0.022 if side == "back" else 0.005) + 0.004 - object_properties(thing).low[2]
    scene.put((*(np.array(site.position[:2]) - centre), height), quaternion_about((0, 0, 1), yaw))
    assert scene.deepest() == 0.0
    scene.run(0.8)
    assert scene.holds("in", f"{side}_contain_region")
    assert not scene.holds("in", f"{'front' if side != 'front' else 'back'}_contain_region")
    assert_at_rest(scene)


@pytest.mark.parametrize(
    ("region", "thing", "room", "position", "quaternion"),
    [
        ("top_region", "chefmate_8_frypan", "", (0.0, 0.0, 0.074), TURNED_OUT),
        ("bottom_region", "chefmate_8_frypan", "", (0.0, 0.0, -0.017), TURNED_OUT),
        ("top_region", "akita_black_bowl", "", (0.0, 0.015, 0.074), UPRIGHT),
        ("top_region", "porcelain_mug", "", (0.05, 0.015, 0.074), UPRIGHT),
        ("top_region", "black_book", STUDY, (-0.06, 0.02, 0.088), ON_ITS_SIDE),
        ("top_region", "yellow_book", STUDY, (-0.06, 0.02, 0.088), ON_ITS_SIDE),
        ("bottom_region", "yellow_book", STUDY, (-0.06, 0.01, 0.016), ON_ITS_SIDE),
    ],
)
def test_things_go_into_the_layers_of_the_shelf(
    region: str, thing: str, room: str, position: tuple[float, float, float], quaternion: FloatArray
) -> None:
    scene = FixtureScene("wooden_two_layer_shelf", thing, room=room)
    scene.put(position, quaternion)
    assert scene.deepest() == 0.0
    scene.run(1.0)
    assert scene.holds("in", region)
    assert_at_rest(scene)


@pytest.mark.parametrize("tilt", [-1.089, 1.089])
def test_the_bottle_is_on_the_rack_whichever_way_the_original_region_is_tilted(tilt: float) -> None:
    """LIBERO's region is 0.101 x 0.022 x 0.0025 m, turned about x until its upright box is what is given."""
    half_size = np.array((0.10087, 0.022, 0.0025))
    given = object_properties("wine_rack").sites["top_region"]
    upright = np.abs([np.cos(tilt), np.sin(tilt)]) * half_size[1] + np.abs([np.sin(tilt), np.cos(tilt)]) * half_size[2]
    assert given.half_size is not None
    np.testing.assert_allclose(upright, given.half_size[1:], atol=2e-4)
    scene = FixtureScene("wine_rack", "wine_bottle")
    scene.put((0.0, -0.08, 0.245))
    scene.run(1.0)
    turned = scene.fixture @ Pose.at(given.position, quaternion_about((1, 0, 0), tilt))
    offset = scene.position("thing_1") - turned.position
    x, y, z = np.stack([turned.axis(i) for i in range(3)], axis=1) @ offset
    assert abs(x) < half_size[0]
    assert abs(y) < half_size[1]
    assert half_size[2] - 0.005 < z < half_size[2] + 0.10
