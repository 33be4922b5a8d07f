"""Batches of tensors: observations, and observations with the demonstrated actions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservationBatch:
    """B observations of one embodiment in the environment's units, not normalised.

    For a policy that looks at H > 1 observations (`PolicyInputs.history`) each tensor has the window after the batch
    dimension, oldest first: qpos (B, H, J), objects (B, H, 7 * objects), images (B, H, 3, h, w). Positions before the
    start of the episode repeat its first observation.

    Attributes:
        qpos: Joint positions [rad] with gripper openings 0..1, shape (B, J) float32.
        objects: Object poses (xyz [m], wxyz), shape (B, 7 * objects) float32.
        images: Camera -> shape (B, 3, H, W) uint8 RGB, channels last in memory; the cameras of the policy's inputs.
        instructions: B instructions.
        embodiment: Where they come from, e.g. "panda-ee"; empty for the embodiment that the policy acts with.
        cached_features: Results of `Policy.cacheable_features`, shape (B, ...) or with a history (B, H, ...); None if
            they have to be computed.
        valid: Which positions of the windows lie in the episode, shape (B, H) bool; the last always does. None if H is
            1.
        encoded_frames: Results of `Policy.encode_frames` for all positions, shape (B, H, ...); there are no images
            then. None if it has to be computed from them.
    """

    qpos: Tensor
    objects: Tensor
    images: Mapping[str, Tensor]
    instructions: tuple[str, ...]
    embodiment: str = ""
    cached_features: Tensor | None = None
    valid: Tensor | None = None
    encoded_frames: Tensor | None = None

    def to(self, device: torch.device) -> "ObservationBatch":
        """A copy on another device."""

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device, non_blocking=True)

        return replace(
            self,
            qpos=self.qpos.to(device, non_blocking=True),
            objects=self.objects.to(device, non_blocking=True),
            images={camera: image.to(device, non_blocking=True) for camera, image in self.images.items()},
            cached_features=moved(self.cached_features),
            valid=moved(self.valid),
            encoded_frames=moved(self.encoded_frames),
        )

    def __len__(self) -> int:
        return len(self.qpos)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingBatch:
    """B observations and the actions that followed each in the demonstration.

    With a window of H > 1 observations there are actions for each position of it: shapes (B, H, K, A) and (B, H, K).

    Attributes:
        observation: The observations.
        actions: The next K actions in the environment's units, shape (B, K, A) float32; rows beyond the end of an
            episode repeat its last action.
        is_pad: Which rows lie beyond the end, shape (B, K) bool; all of positions that are not valid.
    """

    observation: ObservationBatch
    actions: Tensor
    is_pad: Tensor

    @property
    def newest(self) -> tuple[Tensor, Tensor]:
        """The actions (B, K, A) and `is_pad` (B, K) of the newest observations."""
        if self.observation.valid is None:
            return self.actions, self.is_pad
        return self.actions[:, -1], self.is_pad[:, -1]

    def __len__(self) -> int:
        return len(self.actions)
