"""Drift names the tasks whose model, initial states or motion have changed; the committed table fits this machine."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ambidex.benchmarks.drift import __main__ as program
from ambidex.benchmarks.drift.__main__ import DriftConfig, main
from ambidex.benchmarks.drift.comparison import Agreement, TaskDrift
from ambidex.benchmarks.drift.fingerprint import ExpertOutcome, Fingerprint, mujoco_version, take_fingerprint
from ambidex.benchmarks.drift.table import TABLE, DriftTable
from ambidex.envs.registry import tasks_named
from ambidex.envs.robot import Robot
from ambidex.envs.task import Task
from ambidex.errors import DatasetError, SimulationError, UnknownNameError, UsageError

TASK = "transfer_cube"
SAMPLED = (
    TASK,
    "pour_beads",
    "libero_goal/put_the_bowl_on_the_plate",
    "libero_90/STUDY_SCENE3_pick_up_the_red_mug_and_place_it_to_the_right_of_the_caddy",
)


@pytest.fixture(scope="module")
def one_task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of one task under the installed version."""
    path = tmp_path_factory.mktemp("drift") / "table.jsonl"
    assert main(config(path, update=True)) == 0
    return path


def config(table: Path, **flags: object) -> DriftConfig:
    return DriftConfig(task=(TASK,), table=table, workers=0, quiet=True, **flags)  # type: ignore[arg-type]


def cells(row: str) -> list[str]:
    """The cells of a row of the table, without distances."""
    return [cell.split(" (")[0] for cell in re.split(" {2,}", row)]


def with_gravity(monkeypatch: pytest.MonkeyPatch, gravity: float) -> None:
    original = Robot.set_dynamics

    def set_dynamics(self: Robot, spec: object, dynamics: str) -> None:
        original(self, spec, dynamics)
        spec.option.gravity = (0.0, 0.0, gravity)  # type: ignore[attr-defined]

    monkeypatch.setattr(Robot, "set_dynamics", set_dynamics)


@pytest.mark.parametrize("task", SAMPLED)
def test_the_table_fits_this_machine(task: str) -> None:
    column = DriftTable.read(TABLE).column(mujoco_version())
    assert column, f"Add MuJoCo {mujoco_version()} with: python -m ambidex.benchmarks.drift --update"
    drift = TaskDrift(task=task, before=column[task], now=take_fingerprint(task))
    assert drift.worst <= Agreement.CLOSE, f"{drift.row()} If this is on purpose, store it with --update."


def test_the_table_has_all_tasks_and_the_outcomes_of_experts() -> None:
    table = DriftTable.read(TABLE)
    every = {task for suite in DriftConfig().task for task in tasks_named(suite)}
    assert len(every) == 144
    for version in table.mujoco_versions:
        assert set(table.column(version)) == every
        assert all(table.column(version)[task].expert for task in tasks_named("aloha_bimanual"))


def test_an_unchanged_task_is_identical(one_task: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(config(one_task)) == 0
    version = mujoco_version()
    assert capsys.readouterr().out.splitlines() == [
        f"MuJoCo {version} to {version}, 1 task: 1 identical, 0 same to 1e-9, 0 moved."
    ]


def test_a_task_whose_physics_differ_has_moved(
    one_task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_gravity(monkeypatch, -9.0)
    assert main(config(one_task, success=1)) == 1
    summary, _, _, row, expert = capsys.readouterr().out.splitlines()
    assert summary.endswith("0 identical, 0 same to 1e-9, 1 moved.")
    assert cells(row) == [TASK, "moved", "identical", "moved"]
    assert expert.startswith(f"{TASK}: expert ") and expert.endswith("before not in the table")


def test_last_bits_are_no_movement(
    one_task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_gravity(monkeypatch, -9.81 * (1 + 1e-13))
    assert main(config(one_task)) == 0
    out = capsys.readouterr().out
    assert "1 same to 1e-9, 0 moved" in out
    assert TASK in out


def test_initial_states_that_differ_have_moved(
    one_task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Task, "rng_key", property(lambda task: "another name"))
    assert main(config(one_task)) == 1
    row = capsys.readouterr().out.splitlines()[-1]
    assert cells(row) == [TASK, "identical", "moved", "moved"]


def test_a_version_that_the_table_does_not_have_can_be_added(
    one_task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.jsonl"
    table.write_bytes(one_task.read_bytes())
    installed = mujoco_version()
    monkeypatch.setattr(program, "mujoco_version", lambda: "99.0.0")
    assert main(config(table)) == 0
    captured = capsys.readouterr()
    assert f"MuJoCo {installed} to 99.0.0, 1 task: 1 identical" in captured.out
    assert "does not have MuJoCo 99.0.0, which is installed. --update adds it." in captured.err
    assert table.read_bytes() == one_task.read_bytes()
    assert main(config(table, update=True)) == 0
    assert DriftTable.read(table).mujoco_versions == (installed, "99.0.0")
    assert table.read_text().startswith(one_task.read_text())


def test_a_task_that_cannot_be_computed_is_a_failure(
    one_task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(task: str) -> None:
        raise SimulationError("It has become unstable.")

    monkeypatch.setattr(program, "make_handler", lambda seeds: fail)
    assert main(config(one_task)) == 1
    assert f"{TASK} cannot be computed here: It has become unstable." in capsys.readouterr().out


def test_an_outcome_of_the_expert_stays_as_long_as_the_task_is_the_same(one_task: Path) -> None:
    table, version = DriftTable.read(one_task), mujoco_version()
    found = table.column(version)[TASK]
    known = table.updated(version, {TASK: replace(found, expert=ExpertOutcome(successes=9, seeds=10))})
    assert known.updated(version, {TASK: found}) == known
    moved = replace(found, physics=found.model)
    assert known.updated(version, {TASK: moved}).column(version)[TASK].expert is None
    again = replace(found, expert=ExpertOutcome(successes=4, seeds=5))
    assert known.updated(version, {TASK: again}).column(version)[TASK] == again


def test_a_table_that_cannot_be_used_is_refused(one_task: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no table"):
        main(config(tmp_path / "missing.jsonl"))
    (tmp_path / "damaged.jsonl").write_text(one_task.read_text().replace("sha256", "md5"))
    with pytest.raises(DatasetError):
        main(config(tmp_path / "damaged.jsonl"))
    with pytest.raises(UnknownNameError, match=mujoco_version()):
        main(config(one_task, against="1.50"))
    with pytest.raises(UsageError):
        main(config(one_task, success=-1))
    with pytest.raises(UsageError):
        main(replace(config(one_task), task=()))


@pytest.mark.parametrize(
    ("change", "norm"),
    [
        (lambda numbers: numbers + 1e-11, 1e-11 * np.sqrt(300)),
        (lambda numbers: np.where(np.arange(300) == 7, numbers + 0.01, numbers), 0.01),
    ],
)
def test_the_distance_is_about_the_norm_of_the_difference(
    change: Callable[[np.ndarray], np.ndarray], norm: float
) -> None:
    numbers = np.random.default_rng(0).normal(size=300)
    before, after = Fingerprint.of(b"", numbers), Fingerprint.of(b"", change(numbers))
    assert norm / 3 < after.distance(before) < 3 * norm


def test_the_signs_of_projections_never_change() -> None:
    assert Fingerprint.of(b"", 2.0 ** np.arange(8)).projections[:3] == (-77.0, 111.0, 39.0)
