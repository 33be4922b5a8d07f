"""Which parts of an observation a policy looks at."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PolicyInputs:
    """Which parts of an observation a policy looks at; nothing else is loaded, rendered or sent.

    Attributes:
        cameras: Camera names, in the order the policy expects them. Empty: no images.
        objects: The object poses.
        instruction: The task in words.
    """

    cameras: tuple[str, ...]
    objects: bool
    instruction: bool
