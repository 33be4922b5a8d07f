"""What is concluded from the outcomes of take-overs, with hand-made rows."""

from pathlib import Path

import pytest
from results_folder import STAGES, make_row
from synthetic_episode import make_spec

from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.take_over.failures import Failure, all_steps
from ambidex.benchmarks.take_over.recoverability import NEVER, Recoverability, RecoveredFailure, StepShare

FAILURE = Failure(row=make_row(outcome="failure", stage=3), stages=(0,) * 50 + (2,) * 30 + (3,) * 11 + (1,) * 10)


def recovered(outcomes: str) -> RecoveredFailure:
    """From the outcomes at steps 0, 20, ..., each s, f or e."""
    names = {"s": "success", "f": "failure", "e": "error"}
    rows = [(20 * i, make_row(outcome=names[each])) for i, each in enumerate(outcomes)]
    return RecoveredFailure.of(FAILURE, make_spec(stages=STAGES["insertion"], control_hz=50.0), rows)


def test_steps_go_up_to_the_last_state() -> None:
    assert list(FAILURE.steps(25)) == [0, 25, 50, 75, 100]
    assert list(FAILURE.steps(60)) == [0, 60]
    shorter = Failure(row=FAILURE.row, stages=(0,) * 30)
    assert list(all_steps([shorter, FAILURE], 25)) == [0, 25, 50, 75, 100]
    assert list(all_steps([], 25)) == []


@pytest.mark.parametrize(
    ("outcomes", "last", "monotone"),
    [
        ("ssssss", 100, True),
        ("sssfff", 40, True),
        ("ffffff", None, True),
        ("sfsfff", 40, False),
        ("fsffff", 20, False),
        ("seffff", 0, True),
        ("sesfff", 40, False),
    ],
)
def test_the_last_recoverable_step_is_that_of_the_last_success(outcomes: str, last: int | None, monotone: bool) -> None:
    found = recovered(outcomes)
    assert (found.last_recoverable, found.monotone) == (last, monotone)
    assert found.recovered == tuple(20 * i for i, each in enumerate(outcomes) if each == "s")
    assert found.errors == outcomes.count("e")


def test_stages_are_those_of_the_failed_episode() -> None:
    found = recovered("ssssff")
    assert (found.last_recoverable_s, found.stage_there) == (1.2, "lifted")
    assert (found.final_stage, found.highest_stage) == ("touched", "contacted")
    assert recovered("ffffff").stage_there == ""


def test_tables_have_a_line_for_each_failure_and_each_step() -> None:
    tally = Tally.of([make_row(outcome="success"), make_row(outcome="error")])
    failures = (recovered("ssfsff"), recovered("ffffff"))
    found = Recoverability(
        directory=Path("out"),
        source=Path("in"),
        policy="scripted",
        failed_policy="act",
        shares=(StepShare(step=0, tally=tally), StepShare(step=20, tally=Tally.of([make_row()]))),
        failures=failures,
        complete=True,
    )
    assert found.failures_csv().splitlines()[1:] == [
        "insertion,100000,60,1.20,lifted,touched,contacted,no,6,3,0",
        f"insertion,100000,{NEVER},,,touched,contacted,yes,6,0,0",
    ]
    low, high = tally.interval
    assert found.shares_csv().splitlines()[1] == f"0,2,1,1,0.5000,{low:.4f},{high:.4f}"
    assert "scripted recovered 1 of 2 failures of act" in str(found)
    assert "1 could be recovered from a later step, but not from an earlier one" in str(found)
    assert len(str(found).splitlines()) == 11
