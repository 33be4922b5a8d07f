"""What a task family sets by default."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Family:
    """Defaults of a task family.

    Attributes:
        control: Control mode.
        control_hz: Control rate [Hz].
        cameras: Cameras of observations and datasets.
        image_size: Height and width [px].
        format: Dataset format.
        controllers: Control mode -> "module:class" of its controller.
        ee_is_pose: End-effector actions are poses, which joint commands amount to as well; otherwise increments.
        stops_at_success: Recorded episodes end at success instead of at the horizon.
    """

    control: str
    control_hz: float
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    format: str
    controllers: Mapping[str, str]
    ee_is_pose: bool
    stops_at_success: bool


FAMILIES: Mapping[str, Family] = {
    "aloha": Family(
        control="joint",
        control_hz=50.0,
        cameras=("top", "left_wrist", "right_wrist"),
        image_size=(480, 640),
        format="act",
        controllers={
            "joint": "ambidex.envs.controllers.joint_position:JointPosition",
            "ee": "ambidex.envs.controllers.ee_pose:EePose",
        },
        ee_is_pose=True,
        stops_at_success=False,
    ),
    "libero": Family(
        control="ee",
        control_hz=20.0,
        cameras=("agentview", "robot0_eye_in_hand"),
        image_size=(256, 256),
        format="libero",
        controllers={
            "joint": "ambidex.envs.controllers.joint_position:JointPosition",
            "ee": "ambidex.envs.controllers.ee_delta:EeDelta",
        },
        ee_is_pose=False,
        stops_at_success=True,
    ),
}
