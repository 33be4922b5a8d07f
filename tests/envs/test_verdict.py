"""When checks that hold amount to success."""

import pytest

from ambidex.envs.task import Verdict


@pytest.mark.parametrize(
    ("hold_steps", "latches", "expected"),
    [
        (0, False, "0110100"),
        (0, True, "0111111"),
        (2, False, "0010000"),
        (2, True, "0011111"),
        (3, False, "0000000"),
    ],
)
def test_checks_must_hold_on_end_and_success_may_stay(hold_steps: int, latches: bool, expected: str) -> None:
    verdict = Verdict(hold_steps=hold_steps, latches=latches)
    for _ in range(2):  # an episode leaves nothing behind
        verdict.begin()
        found = "".join("01"[verdict.after(held == "1")] for held in "0110100")
        assert found == expected
