"""Windows of observations: as single ones, and with missing ones moved out of the way."""

from dataclasses import replace

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.policy import never_compiled


def frames_of(window: ObservationBatch) -> ObservationBatch:
    """The observations of B windows of H as B * H single ones, those of the first window first."""
    length = window.qpos.shape[1]
    return replace(
        window,
        qpos=window.qpos.flatten(0, 1),
        objects=window.objects.flatten(0, 1),
        images={camera: images.flatten(0, 1) for camera, images in window.images.items()},
        instructions=tuple(instruction for instruction in window.instructions for _ in range(length)),
        valid=None,
    )


@never_compiled  # the number of rows differs each time
def rows_of(frames: ObservationBatch, chosen: Tensor) -> ObservationBatch:
    """The chosen ones (N,) of N single observations."""
    images = {camera: images[chosen] for camera, images in frames.images.items()}
    texts = zip(frames.instructions, chosen.tolist(), strict=True)
    instructions = tuple(text for text, is_chosen in texts if is_chosen)
    return replace(
        frames, qpos=frames.qpos[chosen], objects=frames.objects[chosen], images=images, instructions=instructions
    )


def among_all(values: Tensor, chosen: Tensor) -> Tensor:
    """Inverse of the choice of `rows_of`: values of the chosen rows at their places among N rows, the others 0."""
    return values.new_zeros(len(chosen), *values.shape[1:]).index_put((chosen,), values)


def windows_of(values: Tensor, length: int) -> Tensor:
    """Inverse of the order of `frames_of`: values (B * H, ...) to windows (B, H, ...)."""
    return values.view(-1, length, *values.shape[1:])


def frame_at(window: ObservationBatch, place: int) -> ObservationBatch:
    """The B observations at one place of each window."""
    images = {camera: images[:, place] for camera, images in window.images.items()}
    return replace(window, qpos=window.qpos[:, place], objects=window.objects[:, place], images=images, valid=None)


def valid_first(values: Tensor, valid: Tensor | None) -> Tensor:
    """Values of windows (B, H, D) with those of valid observations in front, in their order.

    A causal model then needs no mask: what follows them are copies of the newest one.
    """
    return values if valid is None else _moved(values, valid.shape[1] - valid.sum(1))


def valid_last(values: Tensor, valid: Tensor | None) -> Tensor:
    """Inverse of `valid_first`; places of missing observations get copies of the oldest one."""
    return values if valid is None else _moved(values, valid.sum(1) - valid.shape[1])


def without_history(valid: Tensor, share: float) -> Tensor:
    """Which observations of windows (B, H) are valid, after a random share of the windows loses all but the newest.

    Source: the dropout of past motion of Bansal et al., "ChauffeurNet: Learning to drive by imitating the best and
    synthesizing the worst", 2019.
    """
    loses = torch.rand(len(valid), 1, device=valid.device) < share
    newest = torch.arange(valid.shape[1], device=valid.device) == valid.shape[1] - 1
    return valid & (newest | ~loses)


def without_proprioception(qpos: Tensor, mean: Tensor, share: float) -> Tensor:
    """Joint positions of windows (B, H, J), of which a random share of the windows has the mean (J,) in their place."""
    loses = torch.rand(len(qpos), 1, 1, device=qpos.device) < share
    return torch.where(loses, mean, qpos)


def _moved(values: Tensor, steps: Tensor) -> Tensor:
    """Values (B, H, D) moved by some steps (B,) to the front, or to the back if negative; the edge is repeated."""
    length = values.shape[1]
    places = (torch.arange(length, device=values.device) + steps[:, None]).clamp(0, length - 1)
    return values.take_along_dim(places[..., None], dim=1)
