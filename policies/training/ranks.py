"""Several processes that train one policy together, as torchrun starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist


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
