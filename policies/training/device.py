"""Where to compute and in which numbers."""

from pathlib import Path

import torch

from ambidex.errors import UsageError

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}  # processors that multiply bf16 in hardware
PRECISIONS = ("auto", "fp32", "bf16")


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """The device of this name; "auto" and "cuda" mean this process's own GPU if there is one. A GPU becomes current.

    Raises:
        UsageError: No such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(f"cuda:{local_rank}" if name == "cuda" else name)
        if device.type == "cuda" and torch.cuda.device_count():
            torch.cuda.set_device(device)  # first: otherwise each process also takes memory of GPU 0
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        gpus = torch.cuda.device_count()
        raise UsageError(
            f"--device {name} cannot be used: {reason}. There are cpu{f' and {gpus} CUDA devices' if gpus else ''}; "
            "auto chooses."
        ) from error
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """One of `PRECISIONS` as bf16 or fp32; "auto" is bf16 where the hardware computes in it."""
    if name != "auto":
        return name
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else _cpu_has_bf16()
    return "bf16" if fast else "fp32"


def _cpu_has_bf16() -> bool:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux: unknown, and fp32 is right everywhere
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not BF16_FLAGS.isdisjoint(flags)
