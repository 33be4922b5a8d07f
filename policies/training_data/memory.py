"""How much memory there is for training data."""

from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
SHARE = 0.6  # of what is free; the rest is for the policy and for others


def spare_memory(device: torch.device) -> int:
    """Bytes that may be filled with data: of a GPU, or of the machine (within the limit of a container)."""
    if device.type == "cuda":
        return int(SHARE * torch.cuda.mem_get_info(device)[0])
    return int(SHARE * min(_machine(), _container()))


def _machine() -> int:
    lines = MEMINFO.read_text(encoding="utf-8").splitlines() if MEMINFO.exists() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else 2**62  # not Linux: unknown


def _container() -> int:
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return 2**62 if limit is None or used is None else limit - max(0, used - _inactive_file())


def _inactive_file() -> int:
    """Bytes of files that the container has read and would give up at once [B]."""
    path = CGROUP / "memory.stat"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return int(text) if text.isdecimal() else None
