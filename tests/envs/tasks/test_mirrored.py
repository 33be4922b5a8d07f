"""Mirrored tasks are reflections of their tasks in initial states, stages, checks and physics."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.objects.building.prop_builder import HINGE, SLIDE, PropBuilder
from ambidex.envs.objects.building.reflection import FLIP_QUATERNION, FLIP_X, reflect
from ambidex.envs.objects.building.shapes import box
from ambidex.envs.registry import HORIZONS, SUITES, mirrored_name, tasks_named
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.mirrored import exchange_sides, mirrored_action
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError
from ambidex.scripted_policies.registry import make_expert

FLIP_POSE = np.concatenate([FLIP_X, FLIP_QUATERNION])


def exchanged(env: Environment, joints: FloatArray) -> FloatArray:
    return mirrored_action(env.scene, joints)


@pytest.mark.parametrize(("task", "spread"), [*((task, "wide") for task in HORIZONS), ("insertion", "published")])
def test_initial_states_are_reflections(task: str, spread: str) -> None:
    plain, mirrored = (make(name, spread=spread, cameras=()) for name in (task, mirrored_name(task)))
    assert plain.task.object_names == mirrored.task.object_names
    assert plain.task.initial_ranges(spread).keys() == mirrored.task.initial_ranges(spread).keys()
    for size in ("nv", "neq", "nnumeric", "ngeom"):
        assert getattr(plain.scene.model, size) == getattr(mirrored.scene.model, size)
    for seed in range(3):
        one, other = plain.reset(seed), mirrored.reset(seed)
        assert np.allclose(one.objects.reshape(-1, 7) * FLIP_POSE, other.objects.reshape(-1, 7), atol=1e-7)
        assert np.allclose(exchanged(plain, one.qpos), other.qpos, atol=1e-9)


def test_a_reflected_action_moves_the_reflected_scene_alike() -> None:
    plain, mirrored = (make(name, cameras=()) for name in ("transfer_cube", "transfer_cube_mirrored"))
    first = plain.reset(0)
    mirrored.reset(0)
    action = (first.qpos + np.linspace(-0.2, 0.3, 14)).astype(np.float32)
    for _ in range(25):
        one = plain.step(action).observation
        other = mirrored.step(exchanged(mirrored, action).astype(np.float32)).observation
    assert np.abs(one.qpos - first.qpos).max() > 0.1
    assert np.allclose(exchanged(plain, one.qpos), other.qpos, atol=1e-4)


@pytest.mark.parametrize("control", ["joint", "ee"])
def test_the_mirrored_expert_does_the_same_in_reverse(control: str) -> None:
    plain, mirrored = (make(name, control=control, cameras=()) for name in ("insertion", "insertion_mirrored"))
    one, other = (rollout(env, make_expert(env), 1) for env in (plain, mirrored))
    assert one.success
    assert other.success
    assert np.abs(one.stages - other.stages).mean() < 0.1


@pytest.mark.parametrize("task", [pytest.param("unscrew_cap", marks=pytest.mark.slow), "remove_lid"])
def test_what_is_joined_in_a_task_is_joined_in_its_mirror_image(task: str) -> None:
    mirrored = make(mirrored_name(task), cameras=())
    result = rollout(mirrored, make_expert(mirrored), 0)
    assert result.success


def test_the_instruction_and_the_checks_exchange_the_sides() -> None:
    env = make("transfer_cube_mirrored", cameras=())
    assert env.spec.instruction == "pick up the red cube with the left arm and hand it over to the right arm"
    assert "held by both right fingers" in env.task.checks(env.scene)
    assert env.task.stages[3] == "reached by right"


def test_words_that_contain_a_side_stay() -> None:
    assert exchange_sides("upright, left and right") == "upright, right and left"


def asymmetric_object() -> mujoco.MjSpec:
    builder = PropBuilder("thing", free=False)
    builder.box((0.05, 0.01, 0.02), (0.02, 0.01, 0.005), (1, 0, 0), quaternion=(0.9, 0.1, 0.3, 0.2))
    builder.capsule((0.1, 0.0, 0.0), (0.15, 0.02, 0.03), 0.005, (0, 1, 0))
    builder.part("lid", (0.03, 0.02, 0.05), joint=HINGE, axis=(1, 2, 3), span=(0.0, 1.5))
    builder.box((0.02, 0.0, 0.0), (0.02, 0.01, 0.002), (0, 0, 1), body="lid")
    builder.part("drawer", (0.0, 0.0, 0.05), joint=SLIDE, axis=(1, 0.5, 0), span=(0.0, 0.1))
    builder.box((0.01, 0.02, 0.0), (0.02, 0.01, 0.002), (0, 0, 1), body="drawer")
    builder.look(box((0.0, 0.0, 0.0), (0.1, 0.05, 0.02)), (1, 1, 1))
    builder.site("mark", (0.07, 0.03, 0.01), body="lid")
    return builder.spec


def test_a_reflected_model_with_moved_joints_is_the_mirror_image() -> None:
    plain, mirrored = asymmetric_object().compile(), reflect(asymmetric_object()).compile()
    data = [mujoco.MjData(model) for model in (plain, mirrored)]
    for model, each in zip((plain, mirrored), data, strict=True):
        each.qpos[:] = (0.7, 0.06)
        mujoco.mj_kinematics(model, each)
        mujoco.mj_comPos(model, each)
    assert np.allclose(data[0].xpos * FLIP_X, data[1].xpos)
    assert np.allclose(data[0].geom_xpos * FLIP_X, data[1].geom_xpos)
    assert np.allclose(data[0].site_xpos * FLIP_X, data[1].site_xpos)
    assert np.allclose(data[0].xipos * FLIP_X, data[1].xipos)
    assert np.allclose(plain.body_inertia, mirrored.body_inertia)


def test_a_name_and_a_suite_have_mirror_images_and_other_families_none() -> None:
    assert mirrored_name("insertion") == "insertion_mirrored" == mirrored_name("insertion_mirrored")
    assert tasks_named(mirrored_name("aloha")) == ("transfer_cube_mirrored", "insertion_mirrored")
    assert set(SUITES["aloha_bimanual_mirrored"]) == {mirrored_name(task) for task in SUITES["aloha_bimanual"]}
    with pytest.raises(UsageError) as caught:
        mirrored_name("libero_goal/1")
    assert caught.value.facts["got"] == "libero_goal/1"
