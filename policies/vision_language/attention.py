"""The attention implementation of transformers' models: flash-attn where it can be used, else torch's own."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from ambidex.errors import UsageError

AUTO, SDPA, FLASH = "auto", "sdpa", "flash_attention_2"
MIN_CAPABILITY = (8, 0)  # compute capability that flash-attn supports
INSTALL_FLASH = "pip install flash-attn --no-build-isolation"


class AttentionSetting:
    """The attention of a model of transformers, chosen again when the model is on another device.

    Args:
        wanted: "auto", or one of transformers' implementations.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted, self._name = wanted, ""
        self._device: torch.device | None = None

    def choose(self, model: Any, device: torch.device) -> str:
        """Set it for a device; returns a sentence with the reason.

        Raises:
            UsageError: flash_attention_2 is requested and cannot be used.
        """
        self._name, reason = choose_attention(self._wanted, device)
        model.set_attn_implementation(self._name)
        self._device = device
        return reason

    def precision(self, model: Any, device: torch.device) -> AbstractContextManager[object]:
        """bf16 for flash_attention_2, which has no kernels for the float32 of a policy in use."""
        if self._device != device:
            self.choose(model, device)
        return torch.autocast(device.type, dtype=torch.bfloat16) if self._name == FLASH else nullcontext()


def choose_attention(wanted: str, device: torch.device) -> tuple[str, str]:
    """The attention implementation to use, and a sentence with the reason.

    Raises:
        UsageError: flash_attention_2 is requested and cannot be used.
    """
    if wanted not in (AUTO, FLASH):
        return wanted, f"Attention: {wanted}, as requested."
    obstacle = _flash_obstacle(device)
    if not obstacle:
        return FLASH, f"Attention: {FLASH}, which is installed, in bf16 whatever --precision says; {SDPA} is not."
    if wanted == AUTO:
        return SDPA, f"Attention: {SDPA}; {FLASH} {obstacle}."
    hint = f"Install it with `{INSTALL_FLASH}`, or use --attention {SDPA}."
    raise UsageError(f"--attention {FLASH}: it {obstacle}.", hint, field="attention")


def _flash_obstacle(device: torch.device) -> str:
    from transformers.utils import is_flash_attn_2_available

    if device.type != "cuda":
        return f"needs a CUDA device, and this is {device.type}"
    if torch.cuda.get_device_capability(device) < MIN_CAPABILITY:
        return "needs a GPU of compute capability 8.0 or newer"
    return "" if is_flash_attn_2_available() else "is not installed"
