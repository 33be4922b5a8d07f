"""Step responses of the arm against those measured in LIBERO, in tests/data/osc_response.json."""

import json
from pathlib import Path

import numpy as np
import pytest
from osc_oracle import OscOracle
from panda_bench import IDLE, PandaBench

from ambidex.envs.robots.panda import HOME
from ambidex.envs.simulation.pose import rotation_between
from ambidex.envs.types import FloatArray

MEASURED = json.loads((Path(__file__).parents[2] / "data" / "osc_response.json").read_text())
AXES = ("x", "y", "z", "rx", "ry", "rz")
HELD, TOTAL, SETTLED = 10, 20, 10  # control steps


@pytest.fixture(scope="module")
def bench() -> PandaBench:
    return PandaBench()


def response(bench: PandaBench, action: FloatArray) -> tuple[FloatArray, FloatArray]:
    bench.scene.reset({})
    bench.act(IDLE, SETTLED)
    start = bench.hand()
    shifts, turns = [], []
    for step in range(TOTAL):
        bench.act(action if step < HELD else IDLE)
        here = bench.hand()
        shifts.append(here.position - start.position)
        turns.append(rotation_between(start.quaternion, here.quaternion))
    return np.array(shifts), np.array(turns)


def worst(ours: FloatArray, measured: FloatArray, least: float) -> float:
    """Largest error relative to the allowed error: a tenth of the measured size, at least `least`."""
    allowed = np.maximum(least, 0.1 * np.linalg.norm(measured, axis=1))
    return float((np.linalg.norm(ours - measured, axis=1) / allowed).max())


@pytest.mark.parametrize("row", MEASURED["responses"], ids=lambda row: f"{row['axis']} {row['action']}")
def test_step_responses_match_libero(bench: PandaBench, row: dict[str, object]) -> None:
    action = np.array(IDLE)
    action[AXES.index(str(row["axis"]))] = float(str(row["action"]))
    shifts, turns = response(bench, action)
    assert worst(shifts, np.array(row["displacement_m"]), 0.002) < 0.85
    assert worst(turns, np.array(row["rotation_rad"]), 0.02) < 0.85


def test_finger_motion_matches_libero(bench: PandaBench) -> None:
    bench.scene.reset({})
    bench.act(IDLE, SETTLED)
    fingers = []
    for sign in [1.0] * 12 + [-1.0] * 12:
        bench.act([0.0] * 6 + [sign])
        fingers.append(bench.scene.data.qpos[7:9].copy())
    assert np.abs(np.array(fingers) - np.array(MEASURED["gripper_m"])).max() < 0.0005


@pytest.mark.parametrize("seed", range(6))
def test_long_mixed_motions_follow_torque_control(bench: PandaBench, seed: int) -> None:
    """Three seconds of changing actions: the tool follows torque control of LIBERO's arm."""
    rng = np.random.default_rng(seed)
    pieces = rng.uniform(-1, 1, (7, 6)) * [1, 1, 0.25, 0.3, 0.3, 0.3]
    if seed % 2:
        pieces[:, 3:] = 0.0
    actions = list(np.repeat(pieces, 9, axis=0)[:60])
    bench.scene.reset({})
    base, errors, turns = bench.scene.robot.arms[0].base, [], []
    for action, target in zip(actions, OscOracle().run(np.array(HOME), actions), strict=True):
        bench.act([*action, -1.0])
        here, expected = bench.hand(), base @ target
        errors.append(np.linalg.norm(here.position - expected.position))
        turns.append(np.linalg.norm(rotation_between(here.quaternion, expected.quaternion)))
    assert max(errors) < 0.015
    assert max(turns) < 0.03
