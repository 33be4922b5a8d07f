"""Spec, dataset.json and episodes of datasets that other programs wrote, which have no simulation states."""

from collections.abc import Mapping

import numpy as np

from ambidex.envs.types import EnvSpec, Episode, Float32Array, Outcome
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import DatasetInfo

SIDES, JOINTS = (
    ("left", "right"),
    ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper"),
)
ALOHA = tuple(f"{side}_{joint}" for side in SIDES for joint in JOINTS)
PANDA = (*(f"robot0_joint{number}" for number in range(1, 8)), "robot0_gripper")
PANDA_STEPS = tuple(f"robot0_{name}" for name in ("dx", "dy", "dz", "drx", "dry", "drz", "gripper"))
ROBOTS: Mapping[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, str, str]] = {
    (ALOHA, ALOHA): ("aloha", "viperx_bimanual", "joint"),
    (PANDA, PANDA_STEPS): ("libero", "panda", "ee"),
    (PANDA, PANDA): ("libero", "panda", "joint"),
}
"""Names of state and action -> family, robot and control mode of ours that has them."""


def foreign_spec(
    *,
    task: str,
    family: str,
    robot: str,
    control: str,
    control_hz: float,
    horizon: int,
    cameras: tuple[str, ...],
    image_size: tuple[int, int],
    instruction: str,
    action_names: tuple[str, ...],
    joint_names: tuple[str, ...],
    dynamics: str = "identified",
) -> EnvSpec:
    """The spec of the environment, as far as it is known; its family is empty for a robot that is none of ours."""
    return EnvSpec(
        task=task,
        family=family,
        robot=robot,
        control=control,
        control_hz=control_hz,
        horizon=horizon,
        spread="published",
        cameras=cameras,
        image_size=image_size,
        render_quality="standard",
        instruction=instruction,
        stages=("none",),
        action_names=action_names,
        joint_names=joint_names,
        object_names=(),
        dynamics=dynamics,
    )


def foreign_info(spec: EnvSpec, *, name: str, storage: str, episodes: int) -> DatasetInfo:
    """The dataset.json that a dataset would have; `name` is that of its kind."""
    return DatasetInfo(
        env_spec=spec,
        command="",
        versions={},
        format=name,
        storage=storage,
        attempts=episodes,
        successes=episodes,
        failures=0,
        errors=0,
        episodes=episodes,
        complete=True,
        timings={},
    )


class ForeignEpisode(StoredEpisode):
    """An episode that another program wrote."""

    @property
    def model_sha256(self) -> str:
        return ""

    @property
    def versions(self) -> Mapping[str, str]:
        return {}

    @property
    def state_size(self) -> int:
        return 0

    def _episode(
        self, *, seed: int, success: bool, qpos: Float32Array, actions: Float32Array, qvel: Float32Array | None = None
    ) -> Episode:
        none, joint = np.zeros((self.steps, 0), np.float32), self.spec.control == "joint"
        return Episode(
            spec=self.spec,
            seed=seed,
            outcome=Outcome.SUCCESS if success else Outcome.FAILURE,
            stage=0,
            qpos=qpos,
            qvel=none if qvel is None else qvel,
            objects=none,
            joint_actions=actions if joint else none,
            ee_actions=none if joint else actions,
            states=np.zeros((self.steps + 1, 0)),
            stages=np.zeros(self.steps + 1, np.int8),
            model_sha256=self.model_sha256,
            versions=self.versions,
        )
