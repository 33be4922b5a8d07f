"""The environment: deterministic initial states, replay, both control modes, and images on demand."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pytest

from ambidex.codec import from_json, to_json
from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment, make
from ambidex.envs.registry import TASKS, with_control
from ambidex.envs.types import EnvSpec, Float32Array
from ambidex.errors import InvalidActionError, RenderingError, SimulationError, UnknownNameError, UsageError


def wiggle(env: Environment, steps: int) -> list[Float32Array]:
    rng = np.random.default_rng(5)
    first = env.observe().qpos
    joints = [(first + 0.2 * np.sin(i / 9) * rng.standard_normal(14)).astype(np.float32) for i in range(steps)]
    if isinstance(env.controller, EePose):
        return [env.controller.from_joint_action(action) for action in joints]
    return joints


@pytest.mark.parametrize("task", TASKS)
def test_task_and_seed_determine_the_initial_state(task: str) -> None:
    one, other = make(task), make(task)
    for seed in (0, 7, 100000):
        assert np.array_equal(one.reset(seed).state, other.reset(seed).state)
        other.step(other.observe().qpos.astype(np.float32))
    assert not np.array_equal(one.reset(1).objects, one.reset(2).objects)


@pytest.mark.parametrize("control", ["joint", "ee"])
def test_replayed_actions_reproduce_the_states(control: str) -> None:
    env, again = make("insertion", control=control), make("insertion", control=control)
    env.reset(3)
    first = env.observe().state
    actions = wiggle(env, 60)
    states = [env.step(action).observation.state for action in actions]
    again.restore(first)
    for action, state in zip(actions, states, strict=True):
        assert np.array_equal(again.step(action).observation.state, state)


def test_any_stored_state_continues_bit_for_bit() -> None:
    env = make("insertion")
    env.reset(3)
    actions = wiggle(env, 60)
    states = [env.step(action).observation.state for action in actions]
    env.restore(states[29])
    assert np.array_equal(env.step(actions[30]).observation.state, states[30])


def test_end_effector_control_acts_through_joint_commands() -> None:
    ee, joint = make("insertion", control="ee"), make("insertion", control="joint")
    ee.reset(4)
    joint.reset(4)
    for action in wiggle(ee, 40):
        step = ee.step(action)
        assert np.array_equal(joint.step(step.joint_action).observation.state, step.observation.state)


def test_late_images_show_the_state_of_their_observation() -> None:
    env = make("transfer_cube", cameras=("angle",), image_size=(60, 80))
    before = env.reset(0)
    at_once = before.image("angle")
    action = before.qpos.astype(np.float32)
    action[:6] += 0.3
    for _ in range(20):
        after = env.step(action).observation
    assert np.array_equal(before.image("angle"), at_once)
    assert not np.array_equal(after.image("angle"), at_once)
    env.close()


def test_observations_are_taken_after_the_step_and_do_not_change() -> None:
    env = make("transfer_cube", cameras=())
    first = env.reset(0)
    before = first.state.copy()
    step = env.step(first.qpos.astype(np.float32))
    assert np.array_equal(first.state, before)
    assert step.observation.time == pytest.approx(0.02)
    assert not np.array_equal(step.observation.state, before)


@pytest.mark.parametrize(("shape", "value"), [((13,), 0.0), ((14,), np.nan), ((14,), np.inf), ((2, 7), 0.0)])
def test_bad_actions_are_refused(shape: tuple[int, ...], value: float) -> None:
    env = make("transfer_cube", cameras=())
    env.reset(0)
    with pytest.raises(InvalidActionError) as caught:
        env.step(np.full(shape, value, np.float32))
    assert caught.value.facts["got"].shape == shape


def test_commands_outside_the_limits_are_clamped() -> None:
    env = make("transfer_cube", cameras=())
    env.reset(0)
    env.step(np.full(14, 100.0, np.float32))
    limits = env.scene.model.actuator_ctrlrange
    assert (env.scene.data.ctrl <= limits[:, 1]).all()
    assert (env.scene.data.ctrl >= limits[:, 0]).all()


@pytest.mark.parametrize("spread", ["published", "wide"])
@pytest.mark.parametrize("task", TASKS)
def test_initial_poses_are_in_range_and_without_contact(task: str, spread: str) -> None:
    env = make(task, spread=spread, cameras=())
    for seed in range(30):
        poses = dict(zip(env.task.object_names, env.reset(seed).objects.reshape(-1, 7), strict=True))
        for prop in (each for each in env.task.props if each.initial_poses):
            distribution, pose = prop.initial_poses[spread], poses[prop.body]
            assert (pose[:3] >= distribution.low).all()
            assert (pose[:3] <= distribution.high).all()
        lying = {prop.body for prop in env.task.props if not prop.initial_poses}
        assert all(lying & pair for pair in bodies_in_contact(env))


def bodies_in_contact(env: Environment) -> Iterator[set[str]]:
    model = env.scene.model
    for geoms in env.scene.data.contact.geom:
        yield {model.body(model.geom_bodyid[geom]).name for geom in geoms}


def test_wide_spread_is_wider_in_position_and_yaw() -> None:
    narrow, wide = make("insertion", cameras=()), make("insertion", spread="wide", cameras=())
    poses = [np.stack([env.reset(seed).objects for seed in range(60)]) for env in (narrow, wide)]
    assert np.ptp(poses[1][:, 0]) > np.ptp(poses[0][:, 0])
    assert np.allclose(poses[0][:, 3], 1.0)
    assert np.ptp(poses[1][:, 6]) > 1.0


@pytest.mark.parametrize(
    ("options", "suggestion"),
    [
        ({"task": "insertoin"}, "insertion"),
        ({"control": "joints"}, "joint"),
        ({"cameras": ("topp",)}, "top"),
        ({"render_quality": "studo"}, "studio"),
        ({"spread": "wid"}, "wide"),
    ],
)
def test_unknown_names_get_a_suggestion(options: dict[str, str], suggestion: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        make(**{"task": "insertion", **options})  # type: ignore[arg-type]
    assert f"{suggestion!r}?" in caught.value.hint and suggestion in caught.value.facts["expected"]


@pytest.mark.parametrize("size", [120, (1, 2, 3), "small", ("48", "64")])
def test_an_image_size_is_a_pair(size: object) -> None:
    with pytest.raises(UsageError) as caught:
        make("insertion", image_size=size)  # type: ignore[arg-type]
    assert caught.value.facts == {"field": "image_size", "got": size}


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1"])
def test_only_a_bddl_file_has_a_definition(task: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(task, definition="copy.bddl")
    assert caught.value.facts["got"] == task


def test_only_cameras_and_states_of_the_scene_are_rendered() -> None:
    with make("insertion") as env:
        state = env.reset(0).state
        with pytest.raises(UnknownNameError) as unknown:
            env.render(state, "topp")
        assert unknown.value.facts["got"] == "topp" and "'top'?" in unknown.value.hint
        for wrong in (state[:-1], np.full_like(state, np.nan)):
            with pytest.raises(SimulationError) as rendered:
                env.render(wrong, "top")
            with pytest.raises(SimulationError) as restored:
                env.restore(wrong)
            assert str(rendered.value) == str(restored.value)
            assert rendered.value.facts == {"got": wrong.shape, "expected": state.shape}


def test_an_environment_is_closed_at_the_end_of_a_with_block() -> None:
    with pytest.raises(ZeroDivisionError), make("insertion", cameras=("top",), image_size=(48, 64)) as env:
        env.reset(0).images()
        assert env._renderer is not None
        1 / 0  # noqa: B018
    assert env._renderer is None


@pytest.mark.parametrize("control", ["joint", "ee"])
def test_an_environment_has_the_bounds_of_its_actions(control: str) -> None:
    env = make("insertion", control=control, cameras=())
    assert env.action_low.shape == env.action_high.shape == (len(env.spec.action_names),)
    assert (env.action_low < env.action_high).all()


def test_bad_sizes_and_seeds_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        make("insertion", image_size=(0, 5))
    assert caught.value.facts["got"] == (0, 5)
    with pytest.raises(UsageError) as caught:
        make("insertion").reset(-1)
    assert caught.value.facts["seed"] == -1


def test_spec_round_trips_through_json() -> None:
    spec = make("insertion").spec
    assert from_json(EnvSpec, to_json(spec)) == spec
    assert spec.differences(make("insertion", control="ee").spec)
    with pytest.raises(ValueError, match="missing"):
        from_json(EnvSpec, {"task": "insertion"})


@pytest.fixture(scope="module")
def spec_with_files() -> EnvSpec:
    spec = make("insertion", perturb=["camera"]).spec
    return replace(spec, definition_sha256="a", init_states="a.init", init_states_sha256="a")


@pytest.mark.parametrize("name", [field.name for field in fields(EnvSpec) if field.name != "init_states"])
def test_every_field_of_a_spec_is_compared(spec_with_files: EnvSpec, name: str) -> None:
    value = getattr(spec_with_files, name)
    other = value[1:] if isinstance(value, tuple) else value + ("x" if isinstance(value, str) else 1)
    changed = replace(spec_with_files, **{name: other})
    for one, two in ((spec_with_files, changed), (changed, spec_with_files)):
        (line,) = one.differences(two)
        assert line.startswith(f"{name}: ")
    assert spec_with_files.differences(replace(spec_with_files)) == []


def test_environments_of_one_process_render_side_by_side() -> None:
    small = make("insertion", cameras=("top",), image_size=(48, 64))
    large = make("transfer_cube", cameras=("top",), image_size=(120, 160))
    first, second = small.reset(0), large.reset(0)
    alone = (first.image("top"), second.image("top"))
    assert alone[0].shape == (48, 64, 3)
    assert alone[1].shape == (120, 160, 3)
    for _ in range(2):
        assert np.array_equal(first.image("top"), alone[0])
        assert np.array_equal(second.image("top"), alone[1])
    small.close()
    small.close()
    assert np.array_equal(second.image("top"), alone[1])
    large.close()


def test_an_environment_renders_again_after_close() -> None:
    env = make("insertion", cameras=("top",), image_size=(48, 64))
    observation = env.reset(0)
    before = observation.image("top")
    env.close()
    assert np.array_equal(observation.image("top"), before)
    env.close()


def test_an_unstable_simulation_is_an_error() -> None:
    env = make("insertion", cameras=())
    env.reset(0)
    env.scene.data.joint("red_peg_joint").qvel[:] = 1e9
    with pytest.raises(SimulationError, match="unstable"):
        for _ in range(20):
            env.step(env.observe().qpos.astype(np.float32))


def test_states_that_do_not_fit_are_refused() -> None:
    env = make("insertion", cameras=())
    state = env.reset(0).state
    with pytest.raises(SimulationError) as caught:
        env.restore(state[:-1])
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == ((state.size - 1,), (state.size,))
    state[3] = np.nan
    with pytest.raises(SimulationError, match="finite"):
        env.restore(state)


def test_a_camera_named_twice_and_a_quaternion_of_zero_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        make("insertion", cameras=("top", "top"))
    assert caught.value.facts["got"] == ("top", "top")
    env = make("insertion", cameras=(), control="ee")
    env.reset(0)
    with pytest.raises(InvalidActionError, match="quaternion"):
        env.step(np.zeros(16, np.float32))


def test_another_thread_can_delete_an_environment_that_has_rendered() -> None:
    env = make("transfer_cube", image_size=(24, 32))
    env.reset(0)
    env.render("top")
    with ThreadPoolExecutor(1) as threads:
        threads.submit(env.close).result()


def test_another_thread_gets_the_right_image_or_an_error() -> None:
    env = make("insertion", cameras=("top",), image_size=(48, 64))
    first, second = env.reset(0), env.reset(1)
    expected = second.image("top")
    first.image("top")
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(second.image, "top")
        try:
            assert np.array_equal(future.result(), expected)
        except RenderingError as error:
            assert "one environment per thread" in str(error)
    assert np.array_equal(second.image("top"), expected)
    env.close()


@pytest.mark.parametrize("task", ["insertion", "libero_goal/1"])
def test_the_control_mode_changes_the_action_names_and_no_initial_state(task: str) -> None:
    modes = ("joint", "ee")
    for settle_steps in (0, 5):
        joint, ee = (make(task, control=control, cameras=(), settle_steps=settle_steps) for control in modes)
        assert with_control(ee.spec, "joint") == joint.spec and with_control(joint.spec, "ee") == ee.spec
        assert np.array_equal(joint.reset(3).state, ee.reset(3).state)
    with pytest.raises(UnknownNameError, match="control mode"):
        with_control(joint.spec, "torque")
