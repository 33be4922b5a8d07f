"""Devices, precision, and several processes that train one policy together, as torchrun starts them."""

import os
import platform
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ambidex.command_line import interrupt_once
from ambidex.errors import UsageError
from ambidex.worker_pool.ending import STOP_SIGNALS

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}  # of processors with bf16 arithmetic
PRECISIONS = ("auto", "fp32", "bf16")
FSDP = "fsdp"
SHARDINGS = ("none", FSDP)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: Index from 0; only rank 0 writes.
        count: Number of processes.
        local: Index on this machine, which is that of its GPU.
        local_count: Number of processes on this machine.
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
    """The ranks that torchrun has set in the environment; one process without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Ranks()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    rank, count, local, local_count = (int(os.environ[name]) for name in names)
    return Ranks(rank=rank, count=count, local=local, local_count=local_count)


@contextmanager
def process_group(ranks: Ranks, device: torch.device) -> Iterator[None]:
    """Initialise torch.distributed for the block, if there are several processes."""
    if ranks.alone:
        yield
        return
    for number in STOP_SIGNALS - {signal.SIGINT}:  # with which torchrun ends ranks, also while they wait for others
        if signal.getsignal(number) is interrupt_once:
            signal.signal(number, signal.SIG_DFL)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # no process may leave while another still communicates with it
    finally:
        dist.destroy_process_group()


def barrier(ranks: Ranks) -> None:
    """Wait until every process has called this."""
    if not ranks.alone:
        dist.barrier()


@contextmanager
def together(ranks: Ranks) -> Iterator[None]:
    """If the block fails in one process, let it fail in all: otherwise those on other machines would wait for it.

    Raises:
        UsageError: It failed in another process.
    """
    try:
        yield
    except Exception as error:
        _gather(ranks, str(error))
        raise
    for rank, (host, problem) in enumerate(_gather(ranks, "")):
        if problem:
            raise UsageError(f"Process {rank} of {ranks.count}, on {host}, cannot train: {problem}", rank=rank)


def check_same_everywhere(ranks: Ranks, facts: Mapping[str, object]) -> None:
    """Check that all processes have the same data, packages and the like, wherever they run.

    Raises:
        UsageError: A fact, given by its name, differs from that of the first process.
    """
    (first_host, first), *others = _gather(ranks, facts)
    for rank, (host, other) in enumerate(others, start=1):
        for name in first.keys() | other.keys():
            got, expected = other.get(name), first.get(name)
            if got != expected:
                where = f"{name} is {got} in process {rank} on {host}, and {expected} in process 0 on {first_host}"
                hint = "All processes need the same data and the same versions of packages."
                raise UsageError(f"The processes differ: {where}.", hint, field=name, got=got, expected=expected)


def _gather(ranks: Ranks, value: T) -> list[tuple[str, T]]:
    """The host and the value of each process."""
    own = platform.node(), value
    if ranks.alone:
        return [own]
    found: list[Any] = [None] * ranks.count
    dist.all_gather_object(found, own)
    return found


def mean_over_ranks(values: torch.Tensor, ranks: Ranks) -> torch.Tensor:
    """The mean over all processes, in place."""
    if not ranks.alone:
        dist.all_reduce(values)
        values /= ranks.count
    return values


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
            torch.cuda.set_device(device)  # first, or each process would also take memory of GPU 0
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        problem = f"--device {name} cannot be used: {str(error).splitlines()[0]}."
        gpus = torch.cuda.device_count()
        hint = f"Use cpu{f', one of {gpus} CUDA devices' if gpus else ''} or auto."
        raise UsageError(problem, hint, field="device", got=name) from error
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """One of `PRECISIONS` as bf16 or fp32; "auto" is bf16 where the hardware supports it."""
    if name != "auto":
        return name
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else _cpu_has_bf16()
    return "bf16" if fast else "fp32"


def _cpu_has_bf16() -> bool:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux: unknown, and fp32 works everywhere
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not BF16_FLAGS.isdisjoint(flags)
