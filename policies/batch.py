"""Batches of tensors: observations, and observations with the demonstrated actions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservationBatch:
    """B observations of one embodiment in the environment's units, not normalised.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, shape (B, J) float32.
        objects: Object poses (xyz [m], wxyz), shape (B, 7 * objects) float32.
        images: Camera -> shape (B, 3, H, W) uint8 RGB, channels last in memory; the cameras of the policy's inputs.
        instructions: B instructions.
        embodiment: Where they come from, e.g. "panda-ee"; empty for the embodiment that the policy acts with.
        cached_features: Result of `Policy.cacheable_features`, shape (B, ...); None if it has to be computed.
    """

    qpos: Tensor
    objects: Tensor
    images: Mapping[str, Tensor]
    instructions: tuple[str, ...]
    embodiment: str = ""
    cached_features: Tensor | None = None

    def to(self, device: torch.device) -> "ObservationBatch":
        """A copy on another device."""
        cached = self.cached_features
        return replace(
            self,
            qpos=self.qpos.to(device, non_blocking=True),
            objects=self.objects.to(device, non_blocking=True),
            images={camera: image.to(device, non_blocking=True) for camera, image in self.images.items()},
            cached_features=None if cached is None else cached.to(device, non_blocking=True),
        )

    def __len__(self) -> int:
        return len(self.qpos)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingBatch:
    """B observations and the actions that followed each in the demonstration.

    Attributes:
        observation: The observations.
        actions: The next K actions in the environment's units, shape (B, K, A) float32; rows beyond the end of an
            episode repeat its last action.
        is_pad: Which rows lie beyond the end, shape (B, K) bool.
    """

    observation: ObservationBatch
    actions: Tensor
    is_pad: Tensor

    def __len__(self) -> int:
        return len(self.actions)
