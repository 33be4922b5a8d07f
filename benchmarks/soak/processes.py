"""What the processes of a command hold, as Linux shows it in /proc, and what they leave in /dev/shm and in folders."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ambidex.atomic_files import TEMPORARY

PROC = Path("/proc")
SHARED_MEMORY = Path("/dev/shm")
WORKER = "spawn_main"  # in the command line of a worker, and of no other child process
KIBIBYTE = 1024  # [B]
USER_TIME, SYSTEM_TIME = 11, 12  # fields of /proc/PID/stat after the name of the program [clock ticks]
IDLE = slice(3, 5)  # fields of /proc/stat in which nothing is computed: idle, and waiting for the disk
STEAL = 7  # the last field of /proc/stat that the others do not include, time of other virtual machines
TICKS = os.sysconf("SC_CLK_TCK")  # per second


@dataclass(frozen=True, kw_only=True)
class ProcessSample:
    """What one process holds at one moment.

    Attributes:
        pid: Its id.
        role: "command", "worker", or "other" for a helper of multiprocessing.
        resident: Memory that is in RAM, with all that it shares with others (RSS) [B].
        proportional: The same with a share of what is shared (PSS) [B].
        private: Memory that no other process has (USS) [B]. It also changes when other programs that use the same
            libraries start or end.
        written: The part of it that the process has written, in RAM or swapped out [B]. A leak makes it grow.
        descriptors: Open files, pipes and sockets.
        threads: Threads.
        processor_s: Processor time since its start [s].
    """

    pid: int
    role: str
    resident: int
    proportional: int
    private: int
    written: int
    descriptors: int
    threads: int
    processor_s: float


def sample_processes(pid: int) -> tuple[ProcessSample, ...]:
    """Samples of a process and all below it. One that ends meanwhile is left out."""
    roles = {pid: "command", **{child: "worker" if is_worker(child) else "other" for child in descendants(pid)}}
    samples = (_sample(each, role) for each, role in roles.items())
    return tuple(sample for sample in samples if sample is not None)


def _sample(pid: int, role: str) -> ProcessSample | None:
    memory = _kibibytes(read(PROC / str(pid) / "smaps_rollup"))
    times = read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    threads = _fields(read(PROC / str(pid) / "status")).get("Threads")
    if not (memory and times and threads):
        return None
    return ProcessSample(
        pid=pid,
        role=role,
        resident=memory["Rss"],
        proportional=memory["Pss"],
        private=memory["Private_Clean"] + memory["Private_Dirty"],
        written=memory["Private_Dirty"] + memory["Swap"],
        descriptors=sum(1 for _ in _links(pid)),
        threads=int(threads),
        processor_s=(int(times[USER_TIME]) + int(times[SYSTEM_TIME])) / TICKS,
    )


def descendants(pid: int) -> Iterator[int]:
    """The processes below a process."""
    parents = [pid]
    while parents:
        parent = parents.pop()
        children = [int(word) for word in read(PROC / str(parent) / "task" / str(parent) / "children").split()]
        parents += children
        yield from children


def is_worker(pid: int) -> bool:
    """Whether it is a worker process of `ambidex.worker_pool`."""
    return WORKER in read(PROC / str(pid) / "cmdline")


def read(path: Path) -> str:
    """The text of a file in /proc; empty if the process has ended, or there is no /proc."""
    try:
        return path.read_text()
    except OSError:
        return ""


def machine_seconds() -> float:
    """Processor time of all programs of this machine since it was started, and what its host took from it [s]."""
    ticks = [int(word) for word in read(PROC / "stat").partition("\n")[0].split()[1 : STEAL + 2]]
    return (sum(ticks) - sum(ticks[IDLE])) / TICKS


def _fields(text: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _kibibytes(text: str) -> dict[str, int]:
    """The amounts of memory in a file of /proc [B]."""
    sizes = {name: value for name, value in _fields(text).items() if value.endswith(" kB")}
    return {name: KIBIBYTE * int(value.split()[0]) for name, value in sizes.items()}


def _links(pid: int) -> Iterator[str]:
    """What the descriptors of a process lead to."""
    try:
        links = list((PROC / str(pid) / "fd").iterdir())
    except OSError:  # it has ended, or is another user's
        return
    for link in links:
        try:
            yield str(link.readlink())
        except OSError:  # closed meanwhile
            continue


def shared_segments() -> frozenset[str]:
    """Names of this user's shared memory segments and semaphores."""
    found = set()
    for entry in os.scandir(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else ():
        try:
            if entry.stat(follow_symlinks=False).st_uid == os.getuid():
                found.add(entry.name)
        except OSError:  # removed meanwhile
            continue
    return frozenset(found)


def foreign_segments(names: frozenset[str], own: frozenset[int]) -> frozenset[str]:
    """Those shared memory segments that a process other than our `own` has mapped or open."""
    pids = {int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()} - own if names else set()
    used = "\n".join(text for pid in pids for text in (read(PROC / str(pid) / "maps"), *_links(pid)))
    return frozenset(name for name in names if f"{SHARED_MEMORY / name}" in used)


def temporary_files(temporary: Path, output: Path) -> int:
    """Number of files in a folder for temporary ones, and of those in an output folder that are not complete."""
    partial = (path for path in files_below(output) if TEMPORARY in str(path.relative_to(output)))
    return sum(1 for _ in files_below(temporary)) + sum(1 for _ in partial)


def files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and in those below it, while they come and go; none if there is no such folder."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)
