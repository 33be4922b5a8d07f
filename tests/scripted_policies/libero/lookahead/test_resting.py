"""Objects are lowered until they rest, and dropped in simulation; results are cached while the scene is unchanged."""

import math
from typing import cast

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.world import ModelWorld
from ambidex.scripted_policies.libero.lookahead import resting as module
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker
from ambidex.scripted_policies.libero.lookahead.resting import (
    COARSE,
    FINE,
    MAX_DROPS,
    MAX_TILT,
    OFFSETS,
    DropSimulation,
    DropTests,
    RestHeightFinder,
)

OBJECT, SUPPORT = "akita_black_bowl_1", "plate_1"
CHEESE = "cream_cheese_1"
CAN_IN_BASKET = Atom("in", ("can_1", "basket_1_contain_region"))
POSE = Pose.at((0.1, 0.2, 0.3))


@pytest.fixture
def above(env: Environment) -> Pose:
    return env.scene.body_pose(f"{SUPPORT}_main").shifted((0.0, 0.0, 0.16))


def test_an_object_is_lowered_as_far_as_in_fine_steps_with_few_queries(checker: CollisionChecker, above: Pose) -> None:
    height = RestHeightFinder(checker).rest_height(OBJECT, above, 0.4, SUPPORT)
    queries = checker.queries
    assert height is not None

    def collides(distance: float) -> bool:
        return checker.object_collides(OBJECT, above.shifted((0.0, 0.0, -distance)))

    lowered = above.position[2] - height
    assert not any(collides(distance) for distance in np.arange(0.0, lowered + 1e-9, FINE))
    assert collides(lowered + FINE)
    assert queries < lowered / COARSE


def test_there_is_no_rest_height_on_another_support_or_out_of_depth(checker: CollisionChecker, above: Pose) -> None:
    assert RestHeightFinder(checker).rest_height(OBJECT, above, 0.4, "") is None
    assert RestHeightFinder(checker).rest_height(OBJECT, above, 0.05) is None


def test_the_rest_height_follows_a_moved_support(env: Environment, checker: CollisionChecker, above: Pose) -> None:
    finder = RestHeightFinder(checker)
    height = finder.rest_height(OBJECT, above, 0.4)
    assert height is not None
    checker.place(SUPPORT, env.scene.body_pose(f"{SUPPORT}_main").shifted((0.0, 0.0, 0.05)))
    assert finder.rest_height(OBJECT, above, 0.4) == pytest.approx(height + 0.05, abs=2 * FINE)
    checker.sync()
    assert finder.rest_height(OBJECT, above, 0.4) == height


@pytest.fixture(scope="module")
def basket_env() -> Environment:
    env = make("libero_10/1", cameras=())
    env.reset(0)
    return env


def test_a_low_drop_settles_and_a_high_one_is_still_falling(basket_env: Environment) -> None:
    scene = basket_env.scene
    simulation = DropSimulation(scene, scene.robot.arms[0])
    before, lying = scene.state(), scene.body_pose(f"{CHEESE}_main")
    assert simulation.settles(CHEESE, lying.shifted((0.0, 0.0, 0.02)))
    assert not simulation.settles(CHEESE, lying.shifted((0.0, 0.0, 9.0)))
    np.testing.assert_array_equal(before, scene.state())


def test_a_drop_ends_where_the_object_would_rest_in_the_scene(basket_env: Environment) -> None:
    scene = basket_env.scene
    simulation = DropSimulation(scene, scene.robot.arms[0])
    lying = scene.body_pose(f"{CHEESE}_main")
    simulation.settles(CHEESE, lying.shifted((0.0, 0.0, 0.03)))
    np.testing.assert_allclose(simulation.data.body(f"{CHEESE}_main").xpos, lying.position, atol=0.003)


class FakeSimulation:
    """Counts drops, which all settle or all do not."""

    def __init__(self) -> None:
        self.state_version, self.result, self.drops, self.angle = 0, True, 0, 0.0

    def settles(self, obj: str, pose: Pose) -> bool:
        assert obj == "can_1"
        self.drops += 1
        return self.result

    def tilt(self, obj: str, pose: Pose) -> float:
        return self.angle


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch) -> FakeSimulation:
    monkeypatch.setattr(module, "holds", lambda world, atom: True)
    return FakeSimulation()


@pytest.fixture
def drops(simulation: FakeSimulation) -> DropTests:
    return DropTests(cast(DropSimulation, simulation), cast(ModelWorld, None))


def test_a_drop_is_simulated_once(simulation: FakeSimulation, drops: DropTests) -> None:
    assert drops.satisfies(CAN_IN_BASKET, POSE) and drops.satisfies(CAN_IN_BASKET, POSE)
    assert simulation.drops == len(OFFSETS)


def test_an_object_that_has_to_stay_level_may_not_tip(simulation: FakeSimulation, drops: DropTests) -> None:
    simulation.angle = MAX_TILT + 0.01
    assert drops.satisfies(CAN_IN_BASKET, POSE)
    assert not drops.satisfies(CAN_IN_BASKET, POSE, level=True)


def test_an_object_dropped_askew_tilts_until_it_lies(basket_env: Environment) -> None:
    scene = basket_env.scene
    simulation = DropSimulation(scene, scene.robot.arms[0])
    lying = scene.body_pose(f"{CHEESE}_main").shifted((0.0, 0.0, 0.1))
    on_edge = Pose(lying.position, quaternion_product(quaternion_about((1, 0, 0), math.radians(30)), lying.quaternion))
    assert simulation.settles(CHEESE, on_edge)
    assert math.isclose(simulation.tilt(CHEESE, on_edge), math.radians(30), abs_tol=0.05)
    assert simulation.settles(CHEESE, lying.shifted((0.0, 0.0, -0.09)))
    assert simulation.tilt(CHEESE, lying) < 0.05


def test_a_drop_is_simulated_again_after_the_scene_has_changed(simulation: FakeSimulation, drops: DropTests) -> None:
    assert drops.satisfies(CAN_IN_BASKET, POSE)
    simulation.state_version, simulation.result = 1, False
    assert not drops.satisfies(CAN_IN_BASKET, POSE)
    assert simulation.drops == len(OFFSETS) + 1


def test_after_too_many_drops_the_rest_are_assumed_to_be_fine_until_the_scene_changes(
    simulation: FakeSimulation, drops: DropTests
) -> None:
    simulation.result = False
    poses = [POSE.shifted(np.array([0.0, 0.0, 0.01 * number])) for number in range(MAX_DROPS + 1)]
    assert [drops.satisfies(CAN_IN_BASKET, pose) for pose in poses] == [False] * MAX_DROPS + [True]
    simulation.state_version = 1
    assert not drops.satisfies(CAN_IN_BASKET, poses[-1])
