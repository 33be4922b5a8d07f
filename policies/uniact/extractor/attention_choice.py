"""How LLaVA-OneVision attends. Imports transformers."""

import torch

from ambidex.errors import UsageError

AUTO, SDPA, FLASH = "auto", "sdpa", "flash_attention_2"
OLDEST = (8, 0)  # compute capability that flash-attn supports
INSTALL = "pip install flash-attn --no-build-isolation"


def choose_attention(wanted: str, device: torch.device) -> tuple[str, str]:
    """The implementation to use and, in words, why.

    Raises:
        UsageError: flash_attention_2 is asked for and cannot be used.
    """
    if wanted not in (AUTO, FLASH):
        return wanted, f"Attention: {wanted}, as asked for."
    hindrance = _hindrance(device)
    if not hindrance:
        return FLASH, f"Attention: {FLASH}, which is installed, in bf16."
    if wanted == AUTO:
        return SDPA, f"Attention: {SDPA}; {FLASH} {hindrance}."
    raise UsageError(f"--attention {FLASH}: it {hindrance}. Install it with `{INSTALL}`, or take --attention {SDPA}.")


def _hindrance(device: torch.device) -> str:
    from transformers.utils import is_flash_attn_2_available

    if device.type != "cuda":
        return f"needs a CUDA device, and this is {device.type}"
    if torch.cuda.get_device_capability(device) < OLDEST:
        return "needs a GPU of compute capability 8.0 or newer"
    return "" if is_flash_attn_2_available() else "is not installed"
