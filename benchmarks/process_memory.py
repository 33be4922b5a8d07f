"""Peak memory of the worker processes below a process, from /proc. Elsewhere than on Linux there is nothing to see."""

from pathlib import Path

PROC = Path("/proc")
KIBIBYTE = 1024  # [B]
WORKER = "spawn_main"  # in the command line of a worker; the other children only look for libraries or tidy up


class PeakMemory:
    """Remembers the peak resident memory of every worker that `look` has seen below one process.

    The kernel keeps each peak, so looking now and then is enough.

    Args:
        pid: The process whose workers count.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}

    def look(self) -> None:
        """Read the peaks of all workers that are alive."""
        waiting = [self._pid]
        while waiting:
            for child in _children(waiting.pop()):
                waiting.append(child)
                if peak := _peak(child):
                    self._peaks[child] = peak

    def of_workers(self) -> tuple[int, ...]:
        """Peak of each worker [B], largest first; one zero if none was seen."""
        return tuple(sorted(self._peaks.values(), reverse=True)) or (0,)


def _children(pid: int) -> list[int]:
    words = _read(PROC / str(pid) / "task" / str(pid) / "children")
    return [int(word) for word in words.split()]


def _peak(pid: int) -> int:
    if WORKER not in _read(PROC / str(pid) / "cmdline"):
        return 0
    lines = _read(PROC / str(pid) / "status").splitlines()
    return next((int(line.split()[1]) * KIBIBYTE for line in lines if line.startswith("VmHWM:")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended, or there is no /proc
        return ""
