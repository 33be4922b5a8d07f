"""Falls that were tried are remembered while the world stands still, and forgotten when it moves on."""

from typing import cast

import numpy as np
import pytest

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.world import ModelWorld
from ambidex.scripted_policies.libero.lookahead import resting as module
from ambidex.scripted_policies.libero.lookahead.resting import ENOUGH, OFF, Fall, Falls

ATOM = Atom("in", ("can_1", "basket_1_contain_region"))
POSE = Pose.at((0.1, 0.2, 0.3))


class Tried:
    """Stands for the copy of a world in which things fall: notes what was let go."""

    def __init__(self) -> None:
        self.moment, self.rests, self.falls = 0, True, 0

    def settles(self, thing: str, pose: Pose) -> bool:
        assert thing == "can_1"
        self.falls += 1
        return self.rests


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Tried:
    monkeypatch.setattr(module, "holds", lambda world, atom: True)
    return Tried()


def falls_of(tried: Tried) -> Falls:
    return Falls(cast(Fall, tried), cast(ModelWorld, None))


def test_what_was_tried_is_not_tried_again(tried: Tried) -> None:
    falls = falls_of(tried)
    assert falls.reach(ATOM, POSE) and falls.reach(ATOM, POSE)
    assert tried.falls == len(OFF)


def test_what_was_tried_is_forgotten_when_the_world_moves(tried: Tried) -> None:
    falls = falls_of(tried)
    assert falls.reach(ATOM, POSE)
    tried.moment, tried.rests = 1, False
    assert not falls.reach(ATOM, POSE)
    assert tried.falls == len(OFF) + 1


def test_when_enough_was_tried_the_rest_is_taken_for_good_until_the_world_moves(tried: Tried) -> None:
    falls, tried.rests = falls_of(tried), False
    poses = [POSE.shifted(np.array([0.0, 0.0, 0.01 * number])) for number in range(ENOUGH + 1)]
    assert [falls.reach(ATOM, pose) for pose in poses] == [False] * ENOUGH + [True]
    tried.moment = 1
    assert not falls.reach(ATOM, poses[-1])
