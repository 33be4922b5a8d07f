"""Objects that tasks move can be lifted by a hand like the Panda's, with the expert's grasps."""

import numpy as np
import pytest
from floating_hand import FloatingHand

from ambidex.envs.objects.properties import categories, object_properties
from ambidex.envs.simulation.pose import Pose, rotation_between
from ambidex.scripted_policies.libero.planning.grasps import top_grasps

NEVER_LIFTED = {"basket", "wooden_tray", "plate"}
MOVABLE = [
    category for category in categories() if not object_properties(category).is_fixture and category not in NEVER_LIFTED
]


def some_from_above(category: str) -> list[Pose]:
    """Up to four grasps with the hand vertical, spread over all of them."""
    standing = Pose.at((0.0, 0.0, 0.0), object_properties(category).initial_orientation)
    tools = [grasp.tool for grasp in top_grasps(category) if (standing @ grasp.tool).axis(2)[2] < -0.999]
    return [tools[i] for i in np.unique(np.linspace(0, len(tools) - 1, 4).round().astype(int))]


@pytest.mark.parametrize("category", MOVABLE)
def test_it_is_lifted_and_held(category: str) -> None:
    for tool in some_from_above(category):
        hand = FloatingHand(category, tool)
        assert hand.deepest < 1e-3
        start = hand.object_pose
        hand.lift(0.2, seconds=1.0)
        hand.wait(0.3)
        held = hand.object_pose
        assert held.position[2] - start.position[2] > 0.15
        hand.wait(0.5)
        assert np.linalg.norm(hand.object_pose.position - held.position) < 2e-3
        assert np.degrees(np.linalg.norm(rotation_between(held.quaternion, hand.object_pose.quaternion))) < 1.0
        assert hand.deepest < 1e-3
