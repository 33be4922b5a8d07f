"""Drops are counted from heights and from what is held."""

from ambidex.envs.behaviour.drops import DROP_HEIGHT, DropCounter

CUP = 7
HZ = 50.0


def drops(*steps: tuple[float, str]) -> int:
    """Height of the cup and h(eld in the air), r(esting while held) or n(ot held), for each step."""
    counter = DropCounter(HZ)
    for height, state in steps:
        held = {CUP} if state in "hr" else set()
        counter.update(lambda body, z=height: z, held, held if state == "h" else set())
    return counter.drops


def test_an_object_that_falls_after_it_was_held_in_the_air_is_dropped_once() -> None:
    assert drops((0.2, "h"), (0.19, "n"), (0.16, "n"), (0.05, "n"), (0.0, "n")) == 1


def test_a_small_fall_is_no_drop() -> None:
    assert drops((0.2, "h"), (0.2 - 0.9 * DROP_HEIGHT, "n")) == 0
    assert drops((0.2, "h"), (0.2 - 1.1 * DROP_HEIGHT, "n")) == 1


def test_an_object_that_was_never_held_or_rested_when_it_was_released_is_not_dropped() -> None:
    assert drops((0.2, "n"), (0.0, "n")) == 0
    assert drops((0.3, "h"), (0.2, "r"), (0.0, "n")) == 0


def test_an_object_that_is_lowered_or_caught_is_not_dropped() -> None:
    assert drops((0.2, "h"), (0.1, "h"), (0.0, "r"), (0.0, "n")) == 0
    assert drops((0.2, "h"), (0.19, "n"), (0.1, "h"), (0.09, "n")) == 0


def test_a_fall_more_than_a_second_later_is_no_drop() -> None:
    assert drops((0.2, "h"), *[(0.2, "n")] * 49, (0.0, "n")) == 1
    assert drops((0.2, "h"), *[(0.2, "n")] * 50, (0.0, "n")) == 0


def test_each_drop_counts() -> None:
    assert drops(*[(0.2, "h"), (0.1, "n")] * 2) == 2
