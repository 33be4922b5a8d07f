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
        stops_at_success: A demonstration ends with its success, instead of at the horizon.
        ee_is_pose: An end-effector action is a pose to go to, so a joint command amounts to one; else it is a step.
    """

    control: str
    control_hz: float
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    format: str
    stops_at_success: bool = False
    ee_is_pose: bool = True


FAMILIES: Mapping[str, Family] = {
    "aloha": Family(
        control="joint",
        control_hz=50.0,
        cameras=("top", "left_wrist", "right_wrist"),
        image_size=(480, 640),
        format="act",
    ),
}
