"""Initial states: what may be a state of the world begins an episode, random numbers are refused by name."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from goal_states import goal_states
from torch_file import write_states

from ambidex.envs.env import Environment, make
from ambidex.errors import DatasetError

TASK = "libero_goal/1"


@pytest.fixture(scope="module")
def env() -> Environment:
    return make(TASK, cameras=())


@pytest.fixture
def rows(env: Environment) -> np.ndarray:
    """Five states as LIBERO's files have them: things 7 cm above where they come to rest, drawers shut, stove off."""
    rows = goal_states(5, env)
    rows[:, 1 + np.array(free_places(env.scene.model)) + 2] += 0.07
    return rows


def free_places(model: mujoco.MjModel) -> list[int]:
    """Where in qpos the free things begin."""
    return [int(place) for place in model.jnt_qposadr[model.jnt_type == mujoco.mjtJoint.mjJNT_FREE]]


def place_of(env: Environment, joint: str) -> int:
    """Where in a row a joint's position stands."""
    return 1 + int(env.scene.model.joint(joint).qposadr[0])


def refusal(folder: Path, rows: np.ndarray) -> str:
    with pytest.raises(DatasetError) as caught:
        make(TASK, cameras=(), init_states=write_states(folder / "goal.pruned_init", rows))
    assert "goal.pruned_init does not fit libero_goal/put_the_bowl_on_the_stove" in str(caught.value)
    return str(caught.value)


def test_random_numbers_of_the_right_width_are_refused(tmp_path: Path) -> None:
    for seed in range(20):
        text = refusal(tmp_path, np.random.default_rng(seed).normal(size=(10, 79)))
        assert "row 0 (of 0 to 9)" in text and "\n" not in text


@pytest.mark.parametrize(
    ("joint", "value", "text"),
    [
        ("robot0_joint4", 0.5, "joint 'robot0_joint4' is at 0.5, expected -3.072 to -0.0698, or 0.1 beyond"),
        ("robot0_finger_joint1", 0.06, "joint 'robot0_finger_joint1' is at 0.06, expected 0 to 0.04, or 0.01 beyond"),
        ("flat_stove_1_button", -0.2, "joint 'flat_stove_1_button' is at -0.2, expected -0.005 to 2.1"),
        ("wooden_cabinet_1_top_level", 0.03, "joint 'wooden_cabinet_1_top_level' is at 0.03, expected -0.16 to 0.01"),
    ],
)
def test_a_joint_beyond_its_limits_is_named(
    env: Environment, rows: np.ndarray, tmp_path: Path, joint: str, value: float, text: str
) -> None:
    rows[3:, place_of(env, joint)] = value
    message = refusal(tmp_path, rows)
    assert "row 3 (of 0 to 4)" in message and text in message


@pytest.mark.parametrize(("factor", "length"), [(0.0, "0"), (1.02, "1.02"), (0.98, "0.98")])
def test_a_turn_that_is_none_is_named(
    env: Environment, rows: np.ndarray, tmp_path: Path, factor: float, length: str
) -> None:
    start = 1 + free_places(env.scene.model)[1] + 3
    rows[2, start : start + 4] *= factor
    message = refusal(tmp_path, rows)
    name = env.scene.model.joint(int(np.flatnonzero(env.scene.model.jnt_type == 0)[1])).name
    assert name and f"row 2 (of 0 to 4) the quaternion of joint {name!r} has length {length}, expected 1" in message


def test_the_first_row_is_named_whichever_its_joint(env: Environment, rows: np.ndarray, tmp_path: Path) -> None:
    rows[3, place_of(env, "robot0_joint1")] = 4.0
    rows[1, place_of(env, "flat_stove_1_button")] = 4.0
    assert "row 1 (of 0 to 4) joint 'flat_stove_1_button'" in refusal(tmp_path, rows)


def test_what_has_settled_a_little_beyond_a_limit_is_fine(env: Environment, rows: np.ndarray, tmp_path: Path) -> None:
    for joint, value in (
        ("robot0_finger_joint1", 0.0405),
        ("wooden_cabinet_1_top_level", -0.163),
        ("robot0_joint4", -3.08),
    ):
        rows[:, place_of(env, joint)] = value
    for start in free_places(env.scene.model):
        rows[:, 1 + start + 3 : 1 + start + 7] *= 1 + 1e-6
    started = make(TASK, cameras=(), init_states=write_states(tmp_path / "goal.pruned_init", rows))
    started.reset(0)
    assert np.array_equal(started.scene.data.qpos, rows[0, 1:42])
