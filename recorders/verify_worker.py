"""What a worker process of `verify-episodes` does."""

from pathlib import Path

from ambidex.envs.env import Environment, make
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec, Episode
from ambidex.recorders.act import read_episode
from ambidex.recorders.replay import replay
from ambidex.recorders.verification import Verification, state_differences
from ambidex.recorders.versions import versions


class VerifyWorker:
    """Replays one episode file after the other.

    Args:
        ee: Replay the end-effector actions too.
    """

    def __init__(self, ee: bool) -> None:
        self._ee = ee
        self._made: dict[tuple[str, str], Environment] = {}

    def __call__(self, path: Path) -> Verification:
        """Replay an episode.

        Raises:
            DatasetError: The file is damaged, or is of another world.
        """
        episode = read_episode(path)
        env = self._environment(episode.spec, "joint")
        _check_world(path, episode, env)
        states, joint_success = replay(env, episode.states[0], episode.joint_actions)
        first, largest = state_differences(episode, states)
        return Verification(
            path=path,
            seed=episode.seed,
            recorded_success=episode.success,
            first_difference=first,
            largest_difference=largest,
            joint_success=joint_success,
            ee_success=self._ee_success(episode) if self._ee else None,
            notes=_notes(episode, env),
        )

    def _ee_success(self, episode: Episode) -> bool:
        return replay(self._environment(episode.spec, "ee"), episode.states[0], episode.ee_actions)[1]

    def _environment(self, spec: EnvSpec, control: str) -> Environment:
        if (spec.task, control) not in self._made:
            self._made[spec.task, control] = make(spec.task, control=control, cameras=())
        return self._made[spec.task, control]


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
