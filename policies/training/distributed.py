"""Several processes that train one policy together, as torchrun starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist

from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Which of how many processes this is.

    Attributes:
        rank: From 0; only 0 writes.
        count: How many there are.
        local: Number on this machine, which is that of its GPU.
        local_count: How many there are on this machine.
    """

    rank: int = 0
    count: int = 1
    local: int = 0
    local_count: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.count == 1


def ranks_from_environment() -> Ranks:
    """As torchrun says it in the environment; one process without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Ranks()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    rank, count, local, local_count = (int(os.environ[name]) for name in names)
    return Ranks(rank=rank, count=count, local=local, local_count=local_count)


@contextmanager
def joined(ranks: Ranks, device: torch.device) -> Iterator[None]:
    """Within, the processes can talk to each other."""
    if ranks.alone:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # nobody leaves while another still talks to it
    finally:
        dist.destroy_process_group()


def wait_for_all(ranks: Ranks) -> None:
    """Go on when every process has come here."""
    if not ranks.alone:
        dist.barrier()


def mean_over_ranks(values: torch.Tensor, ranks: Ranks) -> torch.Tensor:
    """The mean over all processes, in place."""
    if not ranks.alone:
        dist.all_reduce(values)
        values /= ranks.count
    return values


# FOLDED policies.training.device: Where to compute and in which numbers.

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
