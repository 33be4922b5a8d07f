"""What a worker process of `verify-episodes` does: replays the actions of episodes, and checks their frames."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.perturbations.registry import event_before, executed_axes, without
from ambidex.envs.types import EnvSpec, Episode, Float32Array, FloatArray
from ambidex.errors import DatasetError, SimulationError
from ambidex.output_folder import versions
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.environment import check_fits, stored_environment
from ambidex.recorders.dataset.repair import missing_hint
from ambidex.recorders.formats.registry import episode_exists, open_episode
from ambidex.recorders.verification.checks import (
    ReplayedStates,
    Verification,
    check_frames,
    draw_differences,
    state_differences,
)


class VerifyWorker:
    """Verifies one episode after the other, with its end-effector actions and its frames if asked for."""

    def __init__(self, ee: bool, frames: bool) -> None:
        self._ee, self._frames = ee, frames
        self._environments: dict[tuple[str, str, str, str, tuple[str, ...]], Environment] = {}

    def __call__(self, path: Path) -> Verification:
        """Read and replay an episode.

        Raises:
            DatasetError: The file is missing or damaged, or of another version of the scene; or a dataset whose
                episodes cannot be listed.
        """
        if path.is_dir():
            Dataset(path)  # a dataset that cannot be read: raises the error
        _check_exists(path)
        with open_episode(path) as stored:
            stored.check_has_states()
            env = self._environment(path, stored.spec, stored.spec.control)
            check_fits(stored, env)
            episode = stored.episode
            frames = check_frames(stored) if self._frames else None
        under_ee = episode.spec.control == "ee"
        env.perturb(episode.seed, episode.look)
        states, success = replay(env, episode.states[0], episode.actions, _event_before(episode))
        differences = draw_differences(episode.perturbed, env.perturbed)  # with the step of an event
        return Verification(
            path=path,
            seed=episode.seed,
            recorded_success=episode.success,
            states=compare_states(env, episode.states, episode.actions, states),
            joint_success=self._success(path, episode, "joint", episode.joint_actions) if under_ee else success,
            ee_success=success if under_ee else self._ee_success(path, episode),
            frames=frames,
            draws=tuple(differences),
            notes=_notes(episode, env),
        )

    def _ee_success(self, path: Path, episode: Episode) -> bool | None:
        has_actions = episode.ee_actions.shape[1] > 0
        return self._success(path, episode, "ee", episode.ee_actions) if self._ee and has_actions else None

    def _success(self, path: Path, episode: Episode, control: str, actions: Float32Array) -> bool:
        # The actions of the other mode are those that were executed, so they are neither late nor noisy again.
        spec = replace(episode.spec, perturb=without(episode.spec.perturb, executed_axes(episode.perturbed)))
        env = self._environment(path, spec, control)
        env.perturb(episode.seed)
        return replay(env, episode.states[0], actions, _event_before(episode))[1]

    def _environment(self, path: Path, spec: EnvSpec, control: str) -> Environment:
        key = (spec.task, spec.definition_sha256, spec.success, control, spec.perturb)
        if key not in self._environments:
            self._environments[key] = stored_environment(replace(spec, control=control, cameras=()), path)
        return self._environments[key]


def replay(
    env: Environment, first_state: FloatArray, actions: Float32Array, event_step: int | None = None
) -> tuple[FloatArray, bool]:
    """Act from a stored state (S,); the control mode of the environment is that of the actions, shape (T, A) float32.

    Perturbations are those in effect; `event_step` is as in `Environment.restore`.

    Returns:
        States (T+1, S), and whether success held at the last step, which is what makes a rollout a success.
    """
    states, success = [env.restore(first_state, event_step=event_step).state], False
    for action in actions:
        step = env.step(action)
        states.append(step.observation.state)
        success = step.success
    return np.stack(states), success


def compare_states(
    env: Environment, recorded: FloatArray, actions: Float32Array, replayed: FloatArray
) -> ReplayedStates:
    """Compare the recorded states (T+1, S) with those that the actions (T, A) gave."""
    first, largest = state_differences(recorded, replayed)
    if first is not None and env.perturbs_actions:  # then a step depends on those before
        return ReplayedStates(first_difference=first, largest_difference=largest, largest_step_difference=largest)
    step = 0.0 if first is None else largest_step_difference(env, recorded, actions)
    return ReplayedStates(first_difference=first, largest_difference=largest, largest_step_difference=step)


def largest_step_difference(env: Environment, states: FloatArray, actions: Float32Array) -> float:
    """Largest difference from stored states (T+1, S) after single steps from each of them; infinite if one fails."""
    largest = 0.0
    try:
        for before, action, after in zip(states[:-1], actions, states[1:], strict=True):
            env.restore(before)
            largest = max(largest, float(np.abs(env.step(action).observation.state - after).max()))
    except SimulationError:  # a stored state is not finite, or no state of this scene
        return math.inf
    return largest


def _event_before(episode: Episode) -> int | None:
    return event_before(episode.perturbed) if episode.taken_over else None


def _check_exists(path: Path) -> None:
    if not episode_exists(path):
        raise DatasetError(f"{path} is missing: dataset.json counts it.", missing_hint(path), path=path)


def _notes(episode: Episode, env: Environment) -> tuple[str, ...]:
    notes = []
    if episode.model_sha256 != env.scene.model_sha256:
        notes.append("recorded in another version of the model")
    recorded, installed = episode.versions.get("mujoco"), versions()["mujoco"]
    if recorded != installed:
        notes.append(f"recorded with MuJoCo {recorded}, this is {installed}")
    return tuple(notes)
