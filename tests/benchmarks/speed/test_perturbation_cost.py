"""The program that compares the CPU time of perturbed and clean episodes; the times themselves are not tested."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from ambidex.benchmarks.speed import perturbation_cost
from ambidex.benchmarks.speed.perturbation_cost import (
    EpisodeCost,
    PerturbationCostConfig,
    Runner,
    axis_row,
    main,
    ratio_text,
    run_together,
)
from ambidex.errors import AmbidexError, UsageError

CLEAN = EpisodeCost(reset_s=0.1, env_s=2.0, expert_s=0.5, steps=200)


@dataclass
class Turns:
    """Takes the place of a runner, and records its turns."""

    name: str
    left: int
    log: list[str]
    seeds: list[int] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.left > 0

    def begin(self, seed: int) -> None:
        self.seeds.append(seed)

    def advance(self) -> None:
        if self.running:
            self.log.append(self.name)
            self.left -= 1


def test_more_steps_and_plans_of_the_expert_are_no_cost_of_the_axis() -> None:
    longer = EpisodeCost(reset_s=0.1, env_s=4.0, expert_s=9.0, steps=400)
    assert longer.beside(CLEAN) == CLEAN.total_s
    dearer = EpisodeCost(reset_s=0.3, env_s=4.4, expert_s=9.0, steps=400)
    assert dearer.beside(CLEAN) == pytest.approx(0.3 + 2.2 + 0.5)


def test_a_ratio_has_the_interval_of_pairs() -> None:
    assert ratio_text([1.1, 2.2, 3.3], [1.0, 2.0, 3.0]) == "1.10 (1.10 to 1.10)"
    # Residuals of -1 and 1 have the standard error 1; Student's t of one degree of freedom is 12.706.
    assert ratio_text([2.0, 4.0], [2.0, 2.0]) == "1.50 (-4.85 to 7.85)"
    assert ratio_text([3.0], [2.0]) == "1.50"


def test_episodes_of_a_seed_run_in_turns() -> None:
    log: list[str] = []
    runners = [Turns("a", 3, log), Turns("b", 1, log), Turns("c", 2, log)]
    run_together(cast("list[Runner]", runners), 7)
    assert sorted(log[:3]) == ["a", "b", "c"]
    assert sorted(log[3:5]) == ["a", "c"]
    assert log[5:] == ["a"]
    assert all(runner.seeds == [7] for runner in runners)


def test_an_episode_with_an_error_is_left_out_with_its_clean_twin() -> None:
    dear = EpisodeCost(reset_s=0.1, env_s=99.0, expert_s=0.5, steps=200)
    twice = EpisodeCost(reset_s=0.2, env_s=4.0, expert_s=1.0, steps=200)
    cells = axis_row("layout", [None, twice, dear], [dear, CLEAN, None]).split(" | ")
    assert cells[:3] == ["| layout", "1", "2.00"]
    assert "error" in axis_row("layout", [None], [CLEAN])


def test_the_table_has_a_row_for_each_axis_and_an_error_ends_one_episode_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Runner] = []

    class Short(Runner):
        def __init__(self, task: str, *perturb: str) -> None:
            super().__init__(task, *perturb)
            made.append(self)

        def _act(self) -> bool:
            if self is made[1] and self._steps == 1:
                raise AmbidexError("no plan")
            return super()._act() and self._steps < 3

    monkeypatch.setattr(perturbation_cost, "Runner", Short)
    axes = ("robot_start", "object_colour", "fov")
    main(PerturbationCostConfig(tasks=("transfer_cube",), axes=axes, episodes=1))
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "transfer_cube, level 3, 1 episodes"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:]]
    assert [row[0] for row in rows] == ["clean", *axes]
    assert {len(row) for row in rows} == {len(lines[2].strip("|").split("|"))}
    clean, robot_start, object_colour, fov = rows
    assert "error" in robot_start[2]
    assert "colour" in object_colour[2]
    assert clean[4] == fov[4] == "3"
    assert min(float(value) for value in (*clean[5:], fov[2], fov[3], *fov[5:])) > 0


@pytest.mark.parametrize("changes", [{"level": 0}, {"level": 6}, {"episodes": 0}, {"axes": ("camra",)}])
def test_wrong_flags_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        main(PerturbationCostConfig(**changes))  # type: ignore[arg-type]
