"""The text burned into a video."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What stands below a frame.

    Attributes:
        task: Task name.
        seed: Episode seed.
        time_s: Time since the episode began [s].
        stage: Name of the stage that holds now.
        outcome: "success", "failure", "error", or empty while it is open.
    """

    task: str
    seed: int
    time_s: float
    stage: str
    outcome: str
