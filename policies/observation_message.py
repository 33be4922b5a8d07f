"""The part of an observation that travels to a policy: arrays only, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ambidex.envs.types import Float32Array, ImageArray, Observation
from ambidex.policies.policy_inputs import PolicyInputs


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
