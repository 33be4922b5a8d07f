"""Scenes of all tasks: LIBERO's order of joints, valid and deterministic initial states."""

import subprocess
import sys

import numpy as np
import pytest
from settled_scene import assert_valid

from ambidex.envs.env import Environment, make
from ambidex.envs.registry import SUITES
from ambidex.envs.tasks.libero.suites import HORIZONS

EXAMPLES = {  # one scene of every arena; together they have all predicates of :init
    "tabletop": "libero_spatial/4",
    "kitchen": "libero_10/8",
    "living room": "libero_10/0",
    "study": "libero_10/5",
    "floor": "libero_object/0",
    "microwave": "libero_90/KITCHEN_SCENE7_open_the_microwave",
}
STATE_SIZES = {"libero_spatial/0": 92, "libero_object/0": 110, "libero_goal/0": 79}  # 1 + nq + nv
CODE = """
from ambidex.envs.env import make
env = make({task!r}, cameras=())
print(env.reset({seed}).state.tobytes().hex())
"""


def scene(name: str, **options: object) -> Environment:
    return make(name, cameras=(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EXAMPLES.values(), ids=EXAMPLES)
def test_a_scene_of_each_arena_is_valid(name: str) -> None:
    env = scene(name)
    for seed in range(3):
        assert_valid(env, seed, idle_steps=20)


@pytest.mark.slow
@pytest.mark.parametrize("spread", ["published", "wide"])
@pytest.mark.parametrize("suite", HORIZONS)
def test_every_scene_is_valid(suite: str, spread: str) -> None:
    for name in SUITES[suite]:
        env = scene(name, spread=spread)
        for seed in (*range(10), 100_000):
            assert_valid(env, seed, idle_steps=5)


def test_there_are_130_definitions() -> None:
    assert sum(len(tasks) for suite, tasks in SUITES.items() if suite.startswith("libero")) == 130


@pytest.mark.parametrize(("name", "size"), STATE_SIZES.items())
def test_states_have_liberos_size(name: str, size: int) -> None:
    model = scene(name).scene.model
    assert 1 + model.nq + model.nv == size


def test_joints_are_in_liberos_order() -> None:
    model = scene("libero_goal/1").scene.model
    joints = [model.joint(i).name for i in range(model.njnt)]
    assert joints == [
        *(f"robot0_joint{i}" for i in range(1, 8)),
        "robot0_finger_joint1",
        "robot0_finger_joint2",
        "akita_black_bowl_1_joint0",
        "cream_cheese_1_joint0",
        "wine_bottle_1_joint0",
        "plate_1_joint0",
        "wooden_cabinet_1_top_level",
        "wooden_cabinet_1_middle_level",
        "wooden_cabinet_1_bottom_level",
        "flat_stove_1_button",
    ]


def test_the_initial_state_depends_on_task_and_seed_only() -> None:
    one, other = scene("libero_spatial/0"), scene("libero_spatial/0")
    for seed in (5, 19, 7):
        other.reset(seed)
        other.step(np.full(7, 0.5, np.float32))
    assert np.array_equal(one.reset(7).state, other.reset(7).state)
    assert not np.array_equal(one.reset(7).state, one.reset(8).state)
    again = subprocess.run(
        [sys.executable, "-c", CODE.format(task="libero_spatial/0", seed=7)], capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == one.reset(7).state.tobytes().hex()


@pytest.mark.parametrize("control", ["ee", "joint"])
def test_a_stored_state_continues_bit_for_bit_with_its_fixtures(control: str) -> None:
    one, other = scene("libero_goal/1", control=control), scene("libero_goal/1", control=control)
    one.reset(3)
    other.reset(4)
    rng = np.random.default_rng(0)
    shift = rng.uniform(-0.05, 0.05, len(one.spec.action_names))
    actions = [(one.controller.idle(one.scene) + shift * np.sin(i)).astype(np.float32) for i in range(20)]
    states = [one.step(action).observation.state for action in actions]
    other.restore(states[9])
    assert np.array_equal(other.scene.data.mocap_pos, one.scene.data.mocap_pos)
    continued = [other.step(action).observation.state for action in actions[10:]]
    assert all(np.array_equal(a, b) for a, b in zip(continued, states[10:], strict=True))
