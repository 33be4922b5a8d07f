"""A motion with a thing in the hand ends when the thing has been out of touch for too long, and not before."""

from typing import cast

import pytest

from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.skills.put import LOST, carried

STEPS = 3 * LOST


class Touches:
    """Stands for a workplace in which a thing is held or not, step by step, and at last as in the last step."""

    def __init__(self, held: list[bool]) -> None:
        self._held, self.looks = held, 0

    def held(self, thing: str) -> bool:
        assert thing == "bowl_1"
        self.looks += 1
        return self._held[min(self.looks, len(self._held)) - 1]


def motion() -> Motion:
    for _ in range(STEPS):
        yield
    return True


def carry(held: list[bool]) -> tuple[int, bool]:
    """Steps of the motion that were done, and what it says in the end."""
    carrying, steps = carried(cast(Workplace, Touches(held)), "bowl_1", motion()), 0
    while True:
        try:
            next(carrying)
        except StopIteration as end:
            return steps, end.value
        steps += 1


@pytest.mark.parametrize("began", [0, 3])
def test_a_thing_is_lost_after_so_many_steps_on_end_without_touch(began: int) -> None:
    assert carry([True] * began + [False] * STEPS) == (began + LOST, False)


def test_a_thing_touched_again_in_time_is_not_lost() -> None:
    assert carry(([False] * (LOST - 1) + [True]) * 3) == (STEPS, True)


def test_a_thing_out_of_touch_at_the_end_is_not_held() -> None:
    assert carry([True] * (STEPS - 1) + [False]) == (STEPS, False)
