"""What travels between an environment and a policy: inputs, observations and chunks as arrays. Needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ambidex.envs.types import NO_CODE, Float32Array, ImageArray, Observation
from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PolicyInputs:
    """The parts of an observation that a policy uses; nothing else is loaded, rendered or sent.

    Attributes:
        cameras: Camera names, in the order the policy expects them. Empty: no images.
        objects: Whether it uses object poses.
        instruction: Whether it uses the instruction.
        history: Observations that it looks at, H: the newest and H - 1 earlier ones of the same episode.
        stride: Control steps between two of them.

    Raises:
        UsageError: A history or stride below 1.
    """

    cameras: tuple[str, ...]
    objects: bool
    instruction: bool
    history: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        for name in ("history", "stride"):
            value = getattr(self, name)
            if value < 1:
                raise UsageError(f"--{name} {value}: expected 1 or more.", field=name, got=value)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Control steps from the newest observation back to each of the window, oldest first, e.g. (4, 2, 0)."""
        return history_offsets(self.history, self.stride)


def history_offsets(history: int, stride: int) -> tuple[int, ...]:
    """See `PolicyInputs.offsets`."""
    return tuple(stride * age for age in reversed(range(history)))


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservationMessage:
    """One observation as a policy receives it; parts that it does not use are zero or empty.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, shape (J,) float32.
        objects: Object poses (xyz [m], wxyz), shape (7 * objects,) float32; zeros if not used.
        images: Camera -> shape (H, W, 3) uint8 RGB.
        instruction: The instruction, or empty.
    """

    qpos: Float32Array
    objects: Float32Array
    images: Mapping[str, ImageArray]
    instruction: str

    @classmethod
    def of(cls, observation: Observation, inputs: PolicyInputs) -> Self:
        """The message for a policy with these inputs; only its cameras are rendered."""
        objects = observation.objects.astype(np.float32)
        return cls(
            qpos=observation.qpos.astype(np.float32),
            objects=objects if inputs.objects else np.zeros_like(objects),
            images={camera: observation.image(camera) for camera in inputs.cameras},
            instruction=observation.instruction if inputs.instruction else "",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunk:
    """A policy's answer: the next K actions.

    Attributes:
        actions: Shape (K, A) float32.
        code: The code they were made from, 0 or more; `NO_CODE` for a policy without codes.
    """

    actions: Float32Array
    code: int = NO_CODE
