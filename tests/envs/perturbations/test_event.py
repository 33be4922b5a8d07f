"""Events, in both families: the clean episode until a stage is reached, and one other axis from then on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.event import SETTING_IN
from ambidex.envs.perturbations.perturbation import Clean, axis_rng
from ambidex.envs.perturbations.registry import (
    ACTIONS,
    EVENT,
    IMAGES_ONLY,
    event_step,
    executed_axes,
    make_perturbation,
)
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Drawn, FloatArray, Observation
from ambidex.errors import PerturbationError

CAMERAS = {"transfer_cube": ("top", "left_wrist"), "libero_goal/1": ("agentview", "robot0_eye_in_hand")}
OF_SCENE_ONLY = {"camera", "sensor"}
STEPS, SEEDS = 14, 60
STAGES = (0, 0, 0, 1, 0, 3) + STEPS * (0,)
"""At each step. Stage 2 is skipped, and no stage lasts."""
FIRST = {1: 3, 2: 5, 3: 5}
"""Stage -> the first step at which it, or a higher one, is reached."""


@dataclass
class Pair:
    """A clean environment and one with events, both with the stages above, and an initial state."""

    clean: Environment
    events: Environment
    start: FloatArray
    actions: FloatArray
    drawn: list[Drawn]  # for each seed

    def episode(self, env: Environment, seed: int = 0) -> list[Observation]:
        """An episode from the initial state, with the draws of a seed and the same actions each time."""
        return [
            env.restore(self.start, seed),
            *(env.step(action.astype(np.float32)).observation for action in self.actions),
        ]

    def seed_of(self, axis: str) -> int:
        """A seed that draws an axis."""
        return next(seed for seed, drawn in enumerate(self.drawn) if drawn["axis"] == axis)

    def first(self, seed: int) -> int:
        """The step at which the event of a seed has to set in."""
        return FIRST[self.events.spec.stages.index(str(self.drawn[seed]["stage"]))]

    @property
    def scene_camera(self) -> str:
        return self.clean.spec.cameras[0]


def environment(task: str, *perturb: str) -> Environment:
    env = make(task, cameras=CAMERAS[task], image_size=(48, 64), horizon=STEPS, perturb=perturb)

    def stage(scene: Scene) -> int:
        return STAGES[round(scene.data.time * env.spec.control_hz)]

    env.task.stage = stage  # type: ignore[method-assign]
    return env


@pytest.fixture(scope="module", params=CAMERAS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with environment(request.param) as clean, environment(request.param, "event:4") as events:
        first = clean.reset(7)
        idle = clean.controller.idle(clean.scene).astype(np.float64)
        moving = np.random.default_rng(0).uniform(-0.3, 0.3, len(idle))
        share = np.linspace(0.0, 1.0, STEPS)[:, None]
        event = make_perturbation(EVENT, 4, unperturbed(clean))
        drawn = [event.draw(axis_rng(EVENT, seed)) for seed in range(SEEDS)]
        yield Pair(clean, events, first.state, idle + share * moving, drawn)


def unperturbed(env: Environment) -> Clean:
    return Clean(scene=env.scene, task=env.task, spec=env.spec, idle=lambda: env.action_low)


def different(a: list[Observation], b: list[Observation], camera: str) -> list[int]:
    return [i for i, (one, other) in enumerate(zip(a, b, strict=True)) if not same_image(one, other, camera)]


def same_image(one: Observation, other: Observation, camera: str) -> bool:
    return np.array_equal(one.image(camera), other.image(camera))


def possible(pair: Pair) -> list[str]:
    named = pair.clean.spec.task == "transfer_cube"  # whose instruction names the only object with its colour
    return sorted(SETTING_IN - ({"object_colour"} if named else set()))


def test_all_axes_and_all_stages_but_the_first_and_the_last_are_drawn(pair: Pair) -> None:
    assert {drawn["axis"] for drawn in pair.drawn} == set(possible(pair))
    assert {drawn["stage"] for drawn in pair.drawn} == set(pair.events.spec.stages[1:-1])
    pair.events.perturb(3)
    assert pair.events.perturbed[EVENT] == {"level": 4, **pair.drawn[3]}


def test_axis_and_stage_are_the_same_at_all_levels(pair: Pair) -> None:
    weak = make_perturbation(EVENT, 1, unperturbed(pair.clean))
    for seed, strong in enumerate(pair.drawn):
        drawn = weak.draw(axis_rng(EVENT, seed))
        assert list(drawn) == list(strong)
        assert (drawn["axis"], drawn["stage"]) == (strong["axis"], strong["stage"])


def test_images_are_clean_until_an_event_of_images_and_states_to_the_end(pair: Pair) -> None:
    clean = pair.episode(pair.clean)
    for axis in sorted(set(possible(pair)) & IMAGES_ONLY):
        seed = pair.seed_of(axis)
        first, observations = pair.first(seed), pair.episode(pair.events, seed)
        assert event_step(pair.events.perturbed) == first, axis
        assert all(a.state.tobytes() == b.state.tobytes() for a, b in zip(observations, clean, strict=True)), axis
        scene, wrist = pair.clean.spec.cameras
        changed = different(observations, clean, scene)
        assert changed, axis
        assert changed[0] >= first, axis
        if axis != "lag":  # which may lose images of later steps only
            assert changed == list(range(first, STEPS + 1)), axis
        of_wrist = different(observations, clean, wrist)
        assert bool(of_wrist) == (axis not in OF_SCENE_ONLY), axis
        assert all(step >= first for step in of_wrist), axis


def test_states_are_clean_until_an_event_of_actions_or_dynamics_and_images_are_those_of_the_states(pair: Pair) -> None:
    clean = pair.episode(pair.clean)
    for axis in sorted(set(possible(pair)) - IMAGES_ONLY):
        seed = pair.seed_of(axis)
        first, observations = pair.first(seed), pair.episode(pair.events, seed)
        assert event_step(pair.events.perturbed) == first, axis
        same = [a.state.tobytes() == b.state.tobytes() for a, b in zip(observations, clean, strict=True)]
        assert same == [step <= first for step in range(STEPS + 1)], axis
        for observation in observations:
            for camera in pair.clean.spec.cameras:
                assert np.array_equal(observation.image(camera), pair.clean.render(observation.state, camera)), axis


def test_nothing_is_left_in_the_next_episode(pair: Pair) -> None:
    seed, other = pair.seed_of("dynamics"), pair.seed_of("background")
    plain = [_bytes(model) for model in pair.clean.scene.models]
    scene = pair.scene_camera
    for before, after in ((seed, other), (other, seed)):
        pair.episode(pair.events, before)[-1].image(scene)
        assert [_bytes(model) for model in pair.events.scene.models] != plain
        first = pair.events.restore(pair.start, after)
        assert [_bytes(model) for model in pair.events.scene.models] == plain
        assert np.array_equal(first.image(scene), pair.clean.render(pair.start, scene))
        assert event_step(pair.events.perturbed) is None


def _bytes(model: mujoco.MjModel) -> bytes:
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def test_an_episode_is_repeated_bit_for_bit_after_another_one(pair: Pair) -> None:
    for axis in ("action_delay", "dynamics"):
        seed = pair.seed_of(axis)
        before = pair.episode(pair.events, seed)
        pair.episode(pair.events, pair.seed_of("light"))
        again = pair.episode(pair.events, seed)
        pair.events.restore(pair.start)  # of the same episode
        restored = [pair.events.step(action.astype(np.float32)).observation for action in pair.actions]
        for repeated in (again[1:], restored):
            assert [o.state.tobytes() for o in repeated] == [o.state.tobytes() for o in before[1:]]


def test_an_episode_that_does_not_reach_the_stage_is_the_clean_one(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair.events.task, "stage", lambda scene: 0)
    seed, scene = pair.seed_of("camera"), pair.scene_camera
    observations, clean = pair.episode(pair.events, seed), pair.episode(pair.clean)
    assert pair.events.perturbed[EVENT]["set_in_step"] == ""
    assert not different(observations, clean, scene)
    assert observations[-1].state.tobytes() == clean[-1].state.tobytes()


def test_images_are_repeated_from_stored_states_and_the_step(pair: Pair) -> None:
    scene = pair.scene_camera
    for axis in ("background", "sensor", "lag"):
        seed = pair.seed_of(axis)
        observations = pair.episode(pair.events, seed)
        step = event_step(pair.events.perturbed)
        states = np.array([o.state for o in observations])
        seen = [o.image(scene) for o in reversed(observations)][::-1]  # read late, and backwards
        for before in (seed, seed + 1):
            pair.episode(pair.events, before)
            pair.events.perturb(seed, event_step=step)
            assert pair.events.perturbed[EVENT]["set_in_step"] == step
            images = [pair.events.image_at(states, i, scene) for i in range(STEPS + 1)]
            assert all(np.array_equal(a, b) for a, b in zip(images, seen, strict=True)), axis
        pair.events.perturb(seed)
        assert np.array_equal(pair.events.image_at(states, STEPS, scene), pair.clean.render(states[-1], scene)), axis


def test_a_late_image_is_not_older_than_the_last_one_before_the_event(pair: Pair) -> None:
    seed = next(seed for seed, drawn in enumerate(pair.drawn) if drawn["axis"] == "lag" and drawn["kind"] == "late")
    first, late, scene = pair.first(seed), int(pair.drawn[seed]["steps"]), pair.scene_camera
    observations = pair.episode(pair.events, seed)
    for step in range(STEPS + 1):
        shown = step if step < first else max(first - 1, step - late)
        assert np.array_equal(observations[step].image(scene), pair.clean.render(observations[shown].state, scene))


def test_an_event_before_a_restored_state_is_in_effect_at_once(pair: Pair) -> None:
    seed, scene = pair.seed_of("light"), pair.scene_camera
    observations = pair.episode(pair.events, seed)
    state, seen = observations[8].state, observations[8].image(scene)
    assert np.array_equal(pair.events.restore(state, seed, 0).image(scene), seen)
    assert event_step(pair.events.perturbed) == 0
    assert not np.array_equal(pair.events.restore(state, seed).image(scene), seen)  # its stage is no longer reached
    assert event_step(pair.events.perturbed) is None


def test_a_policy_without_images_of_the_scene_is_refused(pair: Pair) -> None:
    scene, wrist = pair.clean.spec.cameras
    pair.events.check_perturbations_are_seen((scene,), instruction=False)
    for cameras in ((), (wrist,)):
        with pytest.raises(PerturbationError, match="--perturb event: the policy gets"):
            pair.events.check_perturbations_are_seen(cameras, instruction=True)
        assert EVENT in pair.clean.impossible_perturbations([EVENT], cameras, instruction=True)
    assert not pair.clean.impossible_perturbations([EVENT], (scene,), instruction=True)


def test_a_task_without_a_stage_in_between_has_no_events(pair: Pair) -> None:
    clean = unperturbed(pair.clean)
    with pytest.raises(PerturbationError, match="no stage between"):
        make_perturbation(EVENT, 1, replace(clean, spec=replace(clean.spec, stages=("none", "done"))))


def test_executed_actions_have_the_changes_of_actions_by_axes_and_events() -> None:
    assert executed_axes({}) == executed_axes({EVENT: {"axis": "camera"}}) == ACTIONS
    assert executed_axes({EVENT: {"axis": "action_delay"}}) == ACTIONS | {EVENT}
