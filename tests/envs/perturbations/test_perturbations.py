"""Laws of all axes of perturbation, in both families: what changes, what does not, and that it can be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.episode import Perturbations
from ambidex.envs.perturbations.episode_rng import axis_rng
from ambidex.envs.perturbations.perturbation import LEVELS, Clean
from ambidex.envs.perturbations.registry import AXES, make_perturbation, parse_axes
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Float32Array, ImageArray, Observation
from ambidex.errors import UsageError

CAMERAS = {"insertion": ("top", "left_wrist"), "libero_goal/1": ("agentview", "robot0_eye_in_hand")}
SCENE, WRIST = 0, 1
CHANGES: Mapping[str, set[str]] = {
    "camera": {"scene image"},
    "wrist_camera": {"wrist image"},
    "fov": {"scene image", "wrist image"},
    "light": {"scene image", "wrist image"},
    "object_colour": {"scene image", "wrist image"},
    "robot_start": {"initial state", "scene image", "wrist image", "later states"},
    "sensor": {"scene image"},
    "lag": {"scene image", "wrist image"},
    "action_delay": {"scene image", "wrist image", "later states"},
    "action_noise": {"scene image", "wrist image", "later states"},
    "dynamics": {"scene image", "wrist image", "later states"},
}
"""Axis -> what differs from the clean episode after some steps with the same actions."""
STEPS = 12


@dataclass
class Recorder:
    """Acts in the same way in every environment, and keeps what it sees."""

    low: Float32Array
    high: Float32Array
    images: list[dict[str, ImageArray]] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)

    def reset(self, observation: Observation, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._start = observation.qpos if len(observation.qpos) == len(self.low) else np.zeros(len(self.low))
        self._direction = rng.uniform(-1.0, 1.0, len(self.low))

    def act(self, observation: Observation) -> Float32Array:
        self.images.append(observation.images())
        self.instructions.append(observation.instruction)
        share = 0.05 * len(self.images)
        return np.clip(self._start + share * self._direction, self.low, self.high).astype(np.float32)


@pytest.fixture(scope="module", params=CAMERAS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def environment(task: str, *perturb: str) -> Environment:
    return make(task, cameras=CAMERAS[task], image_size=(48, 64), horizon=STEPS, perturb=perturb)


def episode(env: Environment, seed: int = 7) -> tuple[Recorder, np.ndarray, np.ndarray]:
    """What an agent sees, the states and the joint actions."""
    agent = Recorder(env.action_low, env.action_high)
    result = rollout(env, agent, seed)
    assert len(result.states) == STEPS + 1, result.traceback
    return agent, result.states, result.joint_actions


@pytest.fixture(scope="module")
def clean(task: str) -> tuple[Recorder, np.ndarray, np.ndarray]:
    with environment(task) as env:
        return episode(env)


def test_every_axis_says_here_what_it_changes() -> None:
    assert set(CHANGES) == set(AXES)


def test_level_0_is_the_clean_episode(task: str, clean: tuple[Recorder, np.ndarray, np.ndarray]) -> None:
    with environment(task, *(f"{axis}:0" for axis in AXES)) as env:
        agent, states, joint_actions = episode(env)
        assert env.perturbed == {}
    seen, expected_states, expected_actions = clean
    assert states.tobytes() == expected_states.tobytes()
    assert joint_actions.tobytes() == expected_actions.tobytes()
    assert all(np.array_equal(a[c], b[c]) for a, b in zip(agent.images, seen.images, strict=True) for c in a)
    assert agent.instructions == seen.instructions


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_changes_what_it_says_and_nothing_else(
    task: str, axis: str, clean: tuple[Recorder, np.ndarray, np.ndarray]
) -> None:
    seen, expected_states, _ = clean
    with environment(task, f"{axis}:4") as env:
        agent, states, _ = episode(env)
        again, states_again, _ = episode(env, seed=8), *episode(env)[1:]
    changed = set()
    if not np.array_equal(states[0], expected_states[0]):
        changed.add("initial state")
    if not np.array_equal(states[1:], expected_states[1:]):
        changed.add("later states")
    for index, name in ((SCENE, "scene image"), (WRIST, "wrist image")):
        camera = CAMERAS[task][index]
        if any(not np.array_equal(a[camera], b[camera]) for a, b in zip(agent.images, seen.images, strict=True)):
            changed.add(name)
    assert changed == CHANGES[axis]
    assert agent.instructions == seen.instructions
    assert again[1].tobytes() != states.tobytes()
    assert states_again.tobytes() == states.tobytes()  # nothing is left of the episode in between


@pytest.mark.parametrize("axis", ["camera", "light", "sensor", "lag", "robot_start"])
def test_images_are_repeated_from_states_and_seed(task: str, axis: str) -> None:
    with environment(task, axis) as env:
        agent, states, _ = episode(env, seed=5)
        episode(env, seed=6)
        env.perturb(5)
        for step in (0, 1, STEPS - 1):
            for camera in CAMERAS[task]:
                assert np.array_equal(env.image_at(states, step, camera), agent.images[step][camera])


@pytest.mark.parametrize("axis", ["action_delay", "action_noise", "dynamics", "robot_start"])
def test_an_episode_is_repeated_from_its_first_state_and_seed(task: str, axis: str) -> None:
    with environment(task, axis) as env:
        _, states, _ = episode(env, seed=5)
        episode(env, seed=6)
        agent = Recorder(env.action_low, env.action_high)
        assert rollout(env, agent, 5, initial_state=states[0]).states.tobytes() == states.tobytes()


@pytest.mark.parametrize("axis", AXES)
def test_levels_scale_one_draw(task: str, axis: str) -> None:
    with environment(task) as env:
        unperturbed = Clean(scene=env.scene, spec=env.spec, idle=lambda: env.action_low)
        after = set()
        for level in range(1, LEVELS + 1):
            rng = axis_rng(axis, 3)
            make_perturbation(axis, level, unperturbed).draw(rng)
            after.add(str(rng.bit_generator.state))
    assert len(after) == 1


def test_an_axis_draws_the_same_beside_others_and_in_other_tasks() -> None:
    drawn = []
    for task, axes in (("insertion", ("camera",)), ("insertion", ("light", "camera")), ("libero_goal/1", ("camera",))):
        with environment(task, *axes) as env:
            env.reset(11)
            drawn.append(env.perturbed["camera"])
    assert drawn[0] == drawn[1] == drawn[2]


def test_only_the_fields_that_an_axis_names_change_in_the_model(task: str) -> None:
    with environment(task) as env:
        model = env.scene.model
        clean, sha256 = {name: values.copy() for name, values in _arrays(model).items()}, env.scene.model_sha256
        for axis in AXES:
            perturbations = Perturbations(
                [f"{axis}:5"], Clean(scene=env.scene, spec=env.spec, idle=lambda: env.action_low)
            )
            perturbations.begin(2)
            changed = {name for name, values in _arrays(model).items() if not np.array_equal(values, clean[name])}
            assert changed <= {*perturbations._fields}, axis
            assert env.scene.model_sha256 == sha256
            perturbations.clear()
            assert all(np.array_equal(values, clean[name]) for name, values in _arrays(model).items()), axis


def _arrays(model: mujoco.MjModel) -> dict[str, np.ndarray]:
    found = {name: getattr(model, name) for name in dir(model)}
    return {name: values for name, values in found.items() if isinstance(values, np.ndarray)}


def test_a_restored_model_is_the_clean_one_bit_for_bit(task: str) -> None:
    with environment(task, *(f"{axis}:5" for axis in AXES)) as env, environment(task) as plain:
        env.reset(2)
        before = [_bytes(model) for model in env.scene.models]
        env._perturbations.clear()
        after = [_bytes(model) for model in env.scene.models]
        expected = [_bytes(model) for model in plain.scene.models]
    assert before != expected
    assert after == expected


def _bytes(model: mujoco.MjModel) -> bytes:
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def test_words_are_axes_with_levels() -> None:
    assert parse_axes(["camera", "light:1", "fov:0"]) == {"camera": 3, "light": 1, "fov": 0}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["camra"], "camera"),
        (["camera:6"], "camera:6"),
        (["camera:"], "camera:"),
        (["camera:+1"], "camera:+1"),
        (["camera:1", "camera:2"], "twice"),
    ],
)
def test_words_that_are_none_are_refused(words: list[str], named: str) -> None:
    with pytest.raises(UsageError, match=named.replace("+", r"\+")):
        parse_axes(words)


def test_what_a_task_does_not_have_cannot_be_perturbed() -> None:
    with pytest.raises(UsageError, match="object_colour"):
        make("transfer_cube", cameras=(), perturb=["object_colour"])
    with pytest.raises(UsageError, match="poses"):
        make("transfer_cube", cameras=(), control="ee", perturb=["action_noise"])
    with pytest.raises(UsageError, match="sensor"):
        make("transfer_cube", cameras=("left_wrist",), perturb=["sensor"])
