"""Makes training batches from row numbers: everything except frames is resident on the training device."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.data.episode_table import BoolArray, EpisodeTable, RowArray
from ambidex.policies.messages import PolicyInputs

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class SampleGatherer:
    """Looks up observations and the K = `chunk_size` actions that follow them, on a device, for a policy's inputs."""

    def __init__(self, table: EpisodeTable, inputs: PolicyInputs, chunk_size: int, device: torch.device) -> None:
        self._table, self._inputs, self._device = table, inputs, device
        self._qpos, self._objects, self._actions, self._last_rows = (
            torch.from_numpy(array).to(device) for array in (table.qpos, table.objects, table.actions, table.last_rows)
        )
        self._features: Tensor | None = None
        self._embodiment = embodiment_of(table.spec)
        self._instructions = [entry.instruction for entry in table.entries]
        self._offsets = torch.arange(chunk_size, device=device)

    def cache(self, features: Tensor) -> None:
        """Add `cached_features` to all later observations, from those of each row of the table, shape (N, ...)."""
        self._features = features

    def windows(self, rows: RowArray) -> RowArray:
        """The rows whose images the samples of some rows (B,) have: the same, or with a history windows (B, H)."""
        return self._table.windows(rows, self._inputs)[0]

    def batch(self, rows: RowArray, images: Mapping[str, Tensor]) -> TrainingBatch:
        """The samples of some rows (B,), with the images of `windows(rows)` that are on the device already."""
        windows, in_episode = self._table.windows(rows, self._inputs)
        at = self._on_device(windows)
        valid = None if in_episode is None else self._on_device(in_episode)
        observation = ObservationBatch(
            qpos=self._qpos[at],
            objects=self._objects[at],
            images=images,
            instructions=tuple(self._instructions[i] for i in self._table.episode_of_row[rows]),
            embodiment=self._embodiment,
            cached_features=None if self._features is None else self._features[at],
            valid=valid,
        )
        wanted, last = at[..., None] + self._offsets, self._last_rows[at][..., None]  # (B, K), (B, 1), or with a window
        actions, is_pad = self._actions[torch.minimum(wanted, last)], wanted > last
        is_pad = is_pad if valid is None else is_pad | ~valid[..., None]
        return TrainingBatch(observation=observation, actions=actions, is_pad=is_pad)

    def _on_device(self, array: RowArray | BoolArray) -> Tensor:
        return torch.from_numpy(array).to(self._device, non_blocking=True)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random shifts and colour changes of images, drawn for each image from torch's generator, on its device.

    The images of a window are all shifted and changed alike.

    Attributes:
        random_shift: Largest shift in each direction [px]; the edge is repeated (Kostrikov et al., "Image augmentation
            is all you need", 2020).
        colour_jitter: Brightness, contrast and saturation are each multiplied by 1 - this to 1 + this.
    """

    random_shift: int
    colour_jitter: float

    def __call__(self, images: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Camera -> (B, 3, H, W) or (B, window, 3, H, W) uint8, channels last in memory, to the same."""
        if not self.random_shift and not self.colour_jitter:
            return images
        return {camera: self._augmented(image) for camera, image in images.items()}

    def _augmented(self, images: Tensor) -> Tensor:
        pixels = images.movedim(-3, -1)  # (B, H, W, 3), or with a window
        if self.random_shift:
            pixels = shifted(pixels, self.random_shift)
        if self.colour_jitter:
            pixels = jittered(pixels, self.colour_jitter)
        return pixels.movedim(-1, -3)


def shifted(pixels: Tensor, limit: int) -> Tensor:
    """Images (B, H, W, 3), each moved by up to `limit` pixels in both directions; of (B, window, ...) alike."""
    count, (height, width) = len(pixels), pixels.shape[-3:-1]
    down, right = torch.randint(-limit, limit + 1, (2, count, 1), device=pixels.device)  # (B, 1) each
    rows = (torch.arange(height, device=pixels.device) - down).clamp(0, height - 1)  # (B, H)
    columns = (torch.arange(width, device=pixels.device) - right).clamp(0, width - 1)  # (B, W)
    windows = pixels.reshape(count, -1, *pixels.shape[-3:])
    sample = torch.arange(count, device=pixels.device)[:, None, None, None]
    frame = torch.arange(windows.shape[1], device=pixels.device)[None, :, None, None]
    return windows[sample, frame, rows[:, None, :, None], columns[:, None, None, :]].view_as(pixels)


def jittered(pixels: Tensor, share: float) -> Tensor:
    """Images (B, H, W, 3) uint8, each with other brightness, contrast and saturation; of (B, window, ...) alike.

    All three are linear in the colours, so each image, or each window, needs one 3x3 matrix and one offset.
    """
    factors = 1 + share * (2 * torch.rand((3, len(pixels), 1, 1), device=pixels.device) - 1)
    brightness, contrast, saturation = factors  # (B, 1, 1) each
    colours = pixels.flatten(1, -2).float()  # (B, H * W, 3), or with all pixels of a window
    weights = torch.tensor(LUMA, device=pixels.device)
    mean = brightness * (colours.mean(1, keepdim=True) @ weights)[..., None]  # grey level of each, (B, 1, 1)
    to_grey = weights[:, None].expand(3, 3)  # every channel becomes the grey level
    mix = brightness * contrast * (saturation * torch.eye(3, device=pixels.device) + (1 - saturation) * to_grey)
    changed = torch.baddbmm((1 - contrast) * mean, colours, mix)  # (B, H * W, 3)
    return changed.add_(0.5).clamp_(0, 255).to(torch.uint8).view_as(pixels)
