"""The success timer of tasks."""

import pytest

from ambidex.envs.registry import TASKS, find_task
from ambidex.envs.task import SuccessTimer
from ambidex.errors import UnknownNameError


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
def test_success_needs_consecutive_steps_and_can_latch(hold_steps: int, latches: bool, expected: str) -> None:
    timer = SuccessTimer(hold_steps=hold_steps, latches=latches)
    for _ in range(2):  # the second episode is independent of the first
        timer.reset()
        assert "".join("01"[timer.update(holds == "1")] for holds in "0110100") == expected


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("criterion", ["libero", "stricter", ""])
def test_tasks_written_in_python_have_the_strict_criterion_only(task: str, criterion: str) -> None:
    assert find_task(task).with_success_criterion("strict").horizon > 0
    with pytest.raises(UnknownNameError):
        find_task(task).with_success_criterion(criterion)
