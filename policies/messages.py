"""The part of an observation that travels to a policy: arrays only, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ambidex.envs.types import NO_CODE, Float32Array, ImageArray, Observation

# FOLDED policies.policy_inputs: Which parts of an observation a policy looks at.


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


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservationMessage:
    """What one observation tells a policy; what it does not look at is zero or empty.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, shape (J,) float32.
        objects: Object poses (xyz [m], wxyz), shape (7 * objects,) float32; zeros if not looked at.
        images: Camera -> shape (H, W, 3) uint8 RGB.
        instruction: The task in words, or empty.
    """

    qpos: Float32Array
    objects: Float32Array
    images: Mapping[str, ImageArray]
    instruction: str

    @classmethod
    def of(cls, observation: Observation, inputs: PolicyInputs) -> Self:
        """What a policy with these inputs needs; only its cameras are rendered."""
        objects = observation.objects.astype(np.float32)
        return cls(
            qpos=observation.qpos.astype(np.float32),
            objects=objects if inputs.objects else np.zeros_like(objects),
            images={camera: observation.image(camera) for camera in inputs.cameras},
            instruction=observation.instruction if inputs.instruction else "",
        )


# FOLDED policies.chunk: What a policy answers. Needs numpy alone.


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunk:
    """The next K actions.

    Attributes:
        actions: Shape (K, A) float32.
        code: The code they were made from, 0 or more; `NO_CODE` of a policy that has none.
    """

    actions: Float32Array
    code: int = NO_CODE
