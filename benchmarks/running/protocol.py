"""How others evaluate on LIBERO, so that numbers can be set side by side."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a stack evaluates on LIBERO; all of them count a success when the goal holds at any one step.

    Attributes:
        horizons: Suite -> control steps of an episode, those of settling not counted.
        settle_steps: Control steps of doing nothing before an episode begins.
        settle_gripper: What the gripper does meanwhile, "open" or "hold".
        episodes: Episodes per task.
    """

    horizons: Mapping[str, int]
    settle_steps: int
    settle_gripper: str
    episodes: int


_LONG = {"libero_object": 280, "libero_goal": 300, "libero_10": 520, "libero_90": 400}
PROTOCOLS: Mapping[str, Protocol] = {
    "openvla": Protocol(horizons={"libero_spatial": 220, **_LONG}, settle_steps=10, settle_gripper="open", episodes=50),
    "lerobot": Protocol(horizons={"libero_spatial": 280, **_LONG}, settle_steps=10, settle_gripper="open", episodes=10),
    "libero": Protocol(
        horizons=dict.fromkeys(("libero_spatial", *_LONG), 600), settle_steps=5, settle_gripper="hold", episodes=20
    ),
}
"""Source: the evaluation scripts of OpenVLA (and OpenVLA-OFT, openpi), LeRobot and LIBERO; facts, section 1.7."""

SUCCESS = "libero"
