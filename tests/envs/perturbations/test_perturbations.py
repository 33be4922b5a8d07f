"""Laws of all axes of perturbation, in both families: what changes, what does not, and that it can be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.episode import Perturbations
from ambidex.envs.perturbations.perturbation import LEVELS, Clean, Perturbation, axis_rng
from ambidex.envs.perturbations.registry import (
    ACTIONS,
    AXES,
    EVENT,
    IMAGES_ONLY,
    INSTRUCTION_ONLY,
    axes_of_initial_states,
    axes_with_levels,
    make_perturbation,
    parse_axes,
)
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Float32Array, ImageArray, Observation
from ambidex.errors import SimulationError, UsageError
from ambidex.scripted_policies.registry import make_expert

CAMERAS = {"insertion": ("top", "left_wrist"), "libero_goal/1": ("agentview", "robot0_eye_in_hand")}
SCENE, WRIST = 0, 1
CHANGES: Mapping[str, set[str]] = {
    "camera": {"scene image"},
    "wrist_camera": {"wrist image"},
    "fov": {"scene image", "wrist image"},
    "light": {"scene image", "wrist image"},
    "object_colour": {"scene image", "wrist image"},
    "background": {"scene image", "wrist image"},
    "layout": {"initial state", "scene image", "wrist image", "later states"},
    "distractors": {"scene image", "wrist image"},
    "robot_start": {"initial state", "scene image", "wrist image", "later states"},
    "sensor": {"scene image"},
    "language": {"instruction"},
    "lag": {"scene image", "wrist image"},
    "action_delay": {"scene image", "wrist image", "later states"},
    "action_noise": {"scene image", "wrist image", "later states"},
    "dynamics": {"scene image", "wrist image", "later states"},
    "event": set(),  # before its stage is reached: test_event.py
}
"""Axis -> what differs from the clean episode after some steps with the same actions."""
OBSTACLES = {"distractors"}
"""Axes that change later states too, but only of episodes in which the robot or an object touches something new."""
STEPS = 12


@dataclass
class Recorder:
    """Acts in the same way in every environment, and keeps what it sees; it gets no images unless it looks."""

    low: Float32Array
    high: Float32Array
    looks: bool = True
    images: list[dict[str, ImageArray]] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)

    def reset(self, observation: Observation, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._start = observation.qpos if len(observation.qpos) == len(self.low) else np.zeros(len(self.low))
        self._direction = rng.uniform(-1.0, 1.0, len(self.low))

    def act(self, observation: Observation) -> Float32Array:
        if self.looks:  # images take most of the time
            self.images.append(observation.images())
        self.instructions.append(observation.instruction)
        share = 0.05 * len(self.instructions)
        return np.clip(self._start + share * self._direction, self.low, self.high).astype(np.float32)


@pytest.fixture(scope="module", params=CAMERAS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def environment(task: str, *perturb: str) -> Environment:
    return make(task, cameras=CAMERAS[task], image_size=(48, 64), horizon=STEPS, perturb=perturb)


def clean_part(env: Environment) -> Clean:
    return Clean(scene=env.scene, task=env.task, spec=env.spec, idle=lambda: env.action_low)


def episode(env: Environment, seed: int = 7, *, looks: bool = True) -> tuple[Recorder, np.ndarray, np.ndarray]:
    """What an agent sees, the states and the joint actions."""
    agent = Recorder(env.action_low, env.action_high, looks)
    result = rollout(env, agent, seed)
    assert len(result.states) == STEPS + 1, result.traceback
    return agent, result.states, result.joint_actions


@pytest.fixture(scope="module")
def clean(task: str) -> tuple[Recorder, np.ndarray, np.ndarray]:
    with environment(task) as env:
        return episode(env)


def test_every_axis_says_here_what_it_changes() -> None:
    assert set(CHANGES) == set(AXES)


def test_axes_that_change_images_only_and_initial_states_are_known_without_a_scene() -> None:
    images = {axis for axis, changed in CHANGES.items() if changed and changed <= {"scene image", "wrist image"}}
    assert images - OBSTACLES == IMAGES_ONLY
    assert {axis for axis, changed in CHANGES.items() if changed == {"instruction"}} == INSTRUCTION_ONLY
    with environment("libero_goal/1") as env:
        unperturbed = clean_part(env)
        made = {axis: make_perturbation(axis, 1, unperturbed) for axis in AXES}
    assert {axis for axis, each in made.items() if each.cameras() is not None} == IMAGES_ONLY
    of_actions = {axis for axis, each in made.items() if type(each).change_action is not Perturbation.change_action}
    assert of_actions - {EVENT} == ACTIONS
    starts = tuple(axis for axis, changed in CHANGES.items() if "initial state" in changed)
    assert axes_of_initial_states(tuple(AXES), settle_steps=0) == starts
    assert axes_of_initial_states(tuple(AXES), settle_steps=5) == (*starts, "dynamics")


def test_level_0_is_the_clean_episode(task: str, clean: tuple[Recorder, np.ndarray, np.ndarray]) -> None:
    with environment(task, *(f"{axis}:0" for axis in AXES)) as env:
        agent, states, joint_actions = episode(env)
        assert env.perturbed == {}
        assert env.spec.perturb == ()
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
        other, states_again = episode(env, seed=8)[1], episode(env, looks=False)[1]
    changed = set()
    if not np.array_equal(states[0], expected_states[0]):
        changed.add("initial state")
    if not np.array_equal(states[1:], expected_states[1:]):
        changed.add("later states")
    for index, name in ((SCENE, "scene image"), (WRIST, "wrist image")):
        camera = CAMERAS[task][index]
        if any(not np.array_equal(a[camera], b[camera]) for a, b in zip(agent.images, seen.images, strict=True)):
            changed.add(name)
    if set(agent.instructions) != set(seen.instructions):
        changed.add("instruction")
    assert changed == CHANGES[axis]
    assert len(set(agent.instructions)) == 1
    assert other.tobytes() != states.tobytes()
    assert states_again.tobytes() == states.tobytes()  # nothing is left of the episode in between


@pytest.mark.parametrize("axis", AXES)
def test_images_and_states_are_repeated_from_stored_states_and_the_seed(task: str, axis: str) -> None:
    with environment(task, axis) as env:
        agent, states, _ = episode(env, seed=5)
        episode(env, seed=6)
        env.perturb(5)
        for step in (0, 1, STEPS - 1):
            for camera in CAMERAS[task]:
                assert np.array_equal(env.image_at(states, step, camera), agent.images[step][camera])
        episode(env, seed=6, looks=False)
        repeating = Recorder(env.action_low, env.action_high, looks=False)
        assert rollout(env, repeating, 5, initial_state=states[0]).states.tobytes() == states.tobytes()


@pytest.mark.parametrize("axis", AXES)
def test_levels_scale_one_draw(task: str, axis: str) -> None:
    with environment(task) as env:
        unperturbed = clean_part(env)
        after, drawn = set(), []
        for level in range(1, LEVELS + 1):
            rng = axis_rng(axis, 3)
            drawn.append(make_perturbation(axis, level, unperturbed).draw(rng))
            after.add(str(rng.bit_generator.state))
    assert len(after) == 1
    for name, first in drawn[0].items():
        values = [each[name] for each in drawn]
        if axis == "language":  # a class of paraphrases at each level: test_language.py
            continue
        if isinstance(first, str):
            assert len(set(values)) == 1
        else:  # away from what leaves the episode as it is, in one direction
            neutral = 1.0 if "factor" in name else 0.0
            away = np.array(values) - neutral
            assert (np.sign(away) == np.sign(away[0])).all()
            assert (np.diff(np.abs(away)) >= 0).all()


def test_an_axis_draws_the_same_beside_others_and_in_other_tasks() -> None:
    drawn = []
    for task, axes in (("insertion", ("camera",)), ("insertion", ("light", "camera")), ("libero_goal/1", ("camera",))):
        with environment(task, *axes) as env:
            env.reset(11)
            drawn.append(env.perturbed["camera"])
    assert drawn[0] == drawn[1] == drawn[2]


def test_only_the_fields_that_an_axis_names_change_in_the_model(task: str) -> None:
    with environment(task, *OBSTACLES) as env:
        model = env.scene.model
        clean, sha256 = {name: values.copy() for name, values in _arrays(model).items()}, env.scene.model_sha256
        for axis in AXES:
            perturbations = Perturbations([f"{axis}:5"], clean_part(env))
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
    with environment(task, *(f"{axis}:5" for axis in AXES)) as env, environment(task, *OBSTACLES) as plain:
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
    assert parse_axes(["light:1", "camera", "fov:0"]) == {"camera": 3, "fov": 0, "light": 1}
    assert axes_with_levels(["light:1", "camera", "fov:0"]) == ("camera:3", "light:1")
    assert axes_with_levels("camera:2") == ("camera:2",)


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


@pytest.mark.parametrize(
    ("cameras", "instruction", "unseen"),
    [
        ((), True, ["camera", "wrist_camera", "light", "sensor", "lag"]),
        (("top",), False, ["wrist_camera", "language"]),
        (("left_wrist",), True, ["camera", "sensor"]),
        (("top", "left_wrist"), False, ["language"]),
        (("top", "left_wrist"), True, []),
    ],
)
def test_a_perturbation_that_a_policy_cannot_notice_is_refused(
    cameras: tuple[str, ...], instruction: bool, unseen: list[str]
) -> None:
    axes = ("camera", "wrist_camera", "light", "sensor", "language", "lag", "action_noise")
    with make("transfer_cube", cameras=(), perturb=axes) as env:
        if not unseen:
            env.check_perturbations_are_seen(cameras, instruction=instruction)
            return
        with pytest.raises(UsageError, match=f"--perturb {', '.join(unseen)}: the policy") as caught:
            env.check_perturbations_are_seen(cameras, instruction=instruction)
    assert caught.value.facts["got"] == unseen


def test_other_instructions_than_it_knows_are_refused_for_a_policy() -> None:
    with (
        make("transfer_cube", cameras=(), perturb=["camera", "language"]) as env,
        pytest.raises(UsageError, match="--perturb language") as caught,
    ):
        env.check_perturbations_are_seen(("top",), instruction=True, known=(env.spec.instruction,))
    assert caught.value.facts["got"] == ["language"]
    with make("transfer_cube", cameras=(), perturb=["camera"]) as env:
        env.check_perturbations_are_seen(("top",), instruction=True, known=(env.spec.instruction,))


def test_before_the_first_episode_nothing_is_perturbed(task: str) -> None:
    with (
        environment(task, "sensor", "lag", "action_delay", "action_noise", "camera") as env,
        environment(task) as plain,
    ):
        state = plain.reset(4).state
        for each in (env, plain):
            each.restore(state)
        action = plain.controller.idle(plain.scene)
        one, other = env.step(action).observation, plain.step(action).observation
        assert one.state.tobytes() == other.state.tobytes()
        assert all(np.array_equal(one.image(camera), other.image(camera)) for camera in CAMERAS[task])


def test_images_of_an_earlier_episode_are_refused() -> None:
    with environment("insertion", "camera") as env:
        observation = env.reset(0)
        env.reset(1)
        with pytest.raises(SimulationError, match="earlier episode"):
            observation.image("top")


def test_a_frozen_image_has_the_disturbance_that_it_had() -> None:
    with environment("insertion", "lag:5", "sensor") as env:
        seed = next(seed for seed in range(50) if _kinds(env, seed) == ("frozen", "noise"))
        _, states, _ = episode(env, seed)
        shown = [env._perturbations._axes["lag"].step_shown(step) for step in range(STEPS)]
        images = [env.image_at(states, step, "top") for step in range(STEPS)]
    repeated = [step for step in range(1, STEPS) if shown[step] == shown[step - 1]]
    assert repeated
    assert all(np.array_equal(images[step], images[step - 1]) for step in repeated)


def _kinds(env: Environment, seed: int) -> tuple[object, object]:
    env.perturb(seed)
    return env.perturbed["lag"]["kind"], env.perturbed["sensor"]["kind"]


def test_an_expert_is_the_same_whenever_it_is_made() -> None:
    states = []
    with environment("insertion", "dynamics:5") as env:
        for reset_first in (False, True):
            if reset_first:
                env.reset(9)
            states.append(rollout(env, make_expert(env), 2).states.tobytes())
    assert states[0] == states[1]
