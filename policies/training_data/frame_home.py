"""Which data path a training takes."""

from dataclasses import dataclass

import torch

from ambidex.errors import UsageError
from ambidex.policies.training_data.memory import spare_memory

DATA_PATHS = ("auto", "resident", "streaming")


@dataclass(frozen=True, kw_only=True)
class FrameHome:
    """Where decoded frames live.

    Attributes:
        device: Their home; None if they are streamed.
        size: What they take or would take [B].
        reason: Why, in words.
    """

    device: torch.device | None
    size: int
    reason: str


def choose_home(size: int, device: torch.device, wanted: str, processes: int = 1) -> FrameHome:
    """Resident on the training device if the frames fit, else in the machine's memory, else streaming.

    Args:
        size: Of all decoded frames [B].
        device: The training device.
        wanted: "auto", "resident" or "streaming".
        processes: Training processes on this machine, each with frames of its own.

    Raises:
        UsageError: The frames are wanted resident and do not fit.
    """
    if size == 0:
        return FrameHome(device=device, size=0, reason="no images")
    if wanted == "streaming":
        return FrameHome(device=None, size=size, reason="frames are streamed from the files, as asked for")
    if device.type == "cuda" and size <= spare_memory(device):
        return FrameHome(device=device, size=size, reason=f"frames are resident on the GPU ({_gigabytes(size)})")
    spare = spare_memory(torch.device("cpu")) // processes
    if size <= spare:
        return FrameHome(
            device=torch.device("cpu"), size=size, reason=f"frames are resident in memory ({_gigabytes(size)})"
        )
    if wanted == "resident":
        raise UsageError(
            f"--data-path resident: the decoded frames take {_gigabytes(size)}, and {_gigabytes(spare)} are to spare. "
            "Take --data-path streaming, fewer --cameras, or smaller images (render-episodes --image-size H W)."
        )
    reason = f"frames are streamed from the files: decoded they take {_gigabytes(size)}, {_gigabytes(spare)} are free"
    return FrameHome(device=None, size=size, reason=reason)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g} GB"
