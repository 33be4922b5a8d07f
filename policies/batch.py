"""What a policy is given: batches of tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservationBatch:
    """B observations in the environment's own units, not normalised.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, shape (B, J) float32.
        objects: Object poses (xyz [m], wxyz), shape (B, 7 * objects) float32.
        images: Camera -> shape (B, 3, H, W) uint8 RGB, channels last in memory; the cameras of the policy's inputs.
        instructions: The task in words, B of them.
        robot: Whose observations they are; empty for the robot that the policy is used with.
        readout: What `Policy.readout` gave for them before, shape (B, ...); None if it has to be computed.
    """

    qpos: Tensor
    objects: Tensor
    images: Mapping[str, Tensor]
    instructions: tuple[str, ...]
    robot: str = ""
    readout: Tensor | None = None

    def to(self, device: torch.device) -> "ObservationBatch":
        """The same on another device."""
        return ObservationBatch(
            qpos=self.qpos.to(device, non_blocking=True),
            objects=self.objects.to(device, non_blocking=True),
            images={camera: image.to(device, non_blocking=True) for camera, image in self.images.items()},
            instructions=self.instructions,
            robot=self.robot,
            readout=None if self.readout is None else self.readout.to(device, non_blocking=True),
        )

    def __len__(self) -> int:
        return len(self.qpos)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingBatch:
    """B observations and what the demonstrator did from each on.

    Attributes:
        observation: The observations.
        actions: The next K actions in the environment's own units, shape (B, K, A) float32; rows beyond the end of
            an episode repeat its last action.
        is_pad: Which rows lie beyond the end, shape (B, K) bool.
    """

    observation: ObservationBatch
    actions: Tensor
    is_pad: Tensor

    def __len__(self) -> int:
        return len(self.actions)
