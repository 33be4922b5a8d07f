"""What a worker process of `verify-episodes` does."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.types import EnvSpec, Episode, Float32Array, FloatArray
from ambidex.errors import DatasetError
from ambidex.output_folder import versions
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.environment import world_of
from ambidex.recorders.dataset.repair import again
from ambidex.recorders.formats.libero.layout import within_file
from ambidex.recorders.formats.registry import open_episode
from ambidex.recorders.verification.checks import Verification, check_pictures, state_differences


class VerifyWorker:
    """Replays one episode file after the other.

    Args:
        ee: Replay the end-effector actions too.
        pictures: Read the pictures too.
    """

    def __init__(self, ee: bool, pictures: bool) -> None:
        self._ee, self._pictures = ee, pictures
        self._made: dict[tuple[str, str, str, str], Environment] = {}

    def __call__(self, path: Path) -> Verification:
        """Read and replay an episode.

        Raises:
            DatasetError: The file is missing or damaged, or is of another world; or a dataset whose episodes cannot be
                found.
        """
        if path.is_dir():
            Dataset(path)  # one that cannot be read: says why
        _check_present(path)
        with open_episode(path) as stored:
            episode = stored.episode
            pictures = check_pictures(stored) if self._pictures else None
        env = self._environment(path, episode.spec, episode.spec.control)
        _check_world(path, episode, env)
        sent = episode.ee_actions if episode.spec.control == "ee" else episode.joint_actions
        states, success = replay(env, episode.states[0], sent)
        first, largest = state_differences(episode, states)
        under_ee = episode.spec.control == "ee"
        return Verification(
            path=path,
            seed=episode.seed,
            recorded_success=episode.success,
            first_difference=first,
            largest_difference=largest,
            joint_success=self._success(path, episode, "joint", episode.joint_actions) if under_ee else success,
            ee_success=success if under_ee else self._ee_success(path, episode),
            pictures=pictures,
            notes=_notes(episode, env),
        )

    def _ee_success(self, path: Path, episode: Episode) -> bool | None:
        has_them = episode.ee_actions.shape[1] > 0
        return self._success(path, episode, "ee", episode.ee_actions) if self._ee and has_them else None

    def _success(self, path: Path, episode: Episode, control: str, actions: Float32Array) -> bool:
        return replay(self._environment(path, episode.spec, control), episode.states[0], actions)[1]

    def _environment(self, path: Path, spec: EnvSpec, control: str) -> Environment:
        key = (spec.task, spec.definition_sha256, spec.success, control)
        if key not in self._made:
            self._made[key] = world_of(replace(spec, control=control, cameras=()), path)
        return self._made[key]


def _check_present(path: Path) -> None:
    if not (path.exists() or within_file(path)):
        command = again(path)
        bring = f", or let this bring it back: {command}" if command else "."
        raise DatasetError(f"{path} is missing: dataset.json counts it. Restore it{bring}")


def _check_world(path: Path, episode: Episode, env: Environment) -> None:
    recorded = (episode.states.shape[1], episode.spec.joint_names)
    present = (env.scene.state().size, env.spec.joint_names)
    if recorded != present:
        raise DatasetError(
            f"{path}: a state has {recorded[0]} numbers and the robot {len(recorded[1])} joints, but in this version "
            f"of {episode.spec.task} {present[0]} and {len(present[1])}. Use the version that recorded it: "
            f"{dict(episode.versions)}."
        )


def _notes(episode: Episode, env: Environment) -> tuple[str, ...]:
    notes = []
    if episode.model_sha256 != env.scene.model_sha256:
        notes.append("recorded in another version of the model")
    then, now = episode.versions.get("mujoco"), versions()["mujoco"]
    if then != now:
        notes.append(f"recorded with MuJoCo {then}, this is {now}")
    return tuple(notes)


# FOLDED recorders.replay: Replays the actions of an episode through the simulator.


def replay(env: Environment, first_state: FloatArray, actions: Float32Array) -> tuple[FloatArray, bool]:
    """Act from a stored state.

    Args:
        env: Where; its control mode is that of the actions.
        first_state: Shape (S,).
        actions: Shape (T, A) float32.

    Returns:
        States (T+1, S), and whether success held at the last step, which is what makes a rollout a success.
    """
    states, success = [env.restore(first_state).state], False
    for action in actions:
        step = env.step(action)
        states.append(step.observation.state)
        success = step.success
    return np.stack(states), success
