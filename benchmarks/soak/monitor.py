"""Runs a command and samples what it holds, every so many episodes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ambidex.atomic_files import TEMPORARY
from ambidex.benchmarks.soak.processes import (
    ProcessSample,
    files_below,
    foreign_segments,
    machine_seconds,
    sample_processes,
    shared_segments,
    temporary_files,
)
from ambidex.benchmarks.speed.timing import MeasurementError
from ambidex.command_line import DONE

POLL_S = 0.05
STORED = frozenset({".hdf5", ".npz"})  # episodes of datasets, and states of benchmarks
LAST_WORDS = 2000  # characters of its messages that are shown if a command fails


@dataclass(frozen=True, kw_only=True)
class SoakCommand:
    """A command that runs episodes.

    Attributes:
        label: Name for people, e.g. "record transfer_cube".
        module: Its module, which has a function `main`.
        flags: Its flags, without the output folder.
        log: Name of the file in the output folder with one line for each episode.
        episodes: Episodes that it runs.
    """

    label: str
    module: str
    flags: tuple[str, ...]
    log: str
    episodes: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a command holds after a number of episodes.

    Attributes:
        episodes: Episodes that have ended.
        seconds: Time since the command was started [s].
        processes: The command, its workers, and helpers.
        shared_memory: Segments in /dev/shm that were made since the start, and that no other program uses.
        temporary_files: Files in its folder for temporary ones, and files of the output folder that are not complete.
        machine_s: Processor time of all programs of the machine since it was started [s].
    """

    episodes: int
    seconds: float
    processes: tuple[ProcessSample, ...]
    shared_memory: int
    temporary_files: int
    machine_s: float

    @property
    def processor_s(self) -> float:
        """Processor time of all processes [s]."""
        return sum(process.processor_s for process in self.processes)


def monitor(command: SoakCommand, every: int, folder: Path, on_sample: Callable[[Sample], None]) -> None:
    """Run a command to its end, in a process of its own, as a user does, and sample it.

    Episodes are counted in the command's log. The files of episodes are deleted while it runs, so that any number of
    them fits on the disk.

    Args:
        command: What to run.
        every: Episodes from one sample to the next.
        folder: An empty folder for its output and its temporary files.
        on_sample: Called with each sample.

    Raises:
        MeasurementError: This is not Linux, or the command failed.
        KeyboardInterrupt: This process was interrupted. The command was, too, and has ended.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise MeasurementError("This system has no /proc/PID/smaps_rollup.", "Run the program on Linux.")
    messages = folder / "messages.txt"
    status = _Monitor(command, every, folder, on_sample).run(messages)
    if status != DONE:
        last = messages.read_text(errors="replace").strip()[-LAST_WORDS:]
        problem = f"{command.label}: the command ended with status {status}. Its last messages: {last}"
        raise MeasurementError(problem, status=status)


class _Monitor:
    """Runs one command. Arguments are those of `monitor`."""

    def __init__(self, command: SoakCommand, every: int, folder: Path, on_sample: Callable[[Sample], None]) -> None:
        self._command, self._every, self._on_sample = command, every, on_sample
        self._output, self._temporary = folder / "output", folder / "tmp"
        self._temporary.mkdir()
        self._segments_before = shared_segments()
        self._started = time.monotonic()

    def run(self, messages: Path) -> int:
        """Run the command, which prints to the file `messages`; returns its exit status."""
        code = f"from {self._command.module} import main; main()"
        words = [sys.executable, "-c", code, *self._command.flags, "--output-dir", str(self._output)]
        environment = {**os.environ, "TMPDIR": str(self._temporary)}
        with messages.open("wb") as file, subprocess.Popen(words, stdout=file, stderr=file, env=environment) as process:
            try:
                self._watch(process)
            except KeyboardInterrupt:
                process.terminate()  # the interrupt may have been sent to this process alone
                process.wait()
                raise
            except BaseException:
                process.kill()
                raise
        return process.returncode

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        log, due = LineCount(self._output / self._command.log), self._every
        while process.poll() is None:
            if due <= log.update() < self._command.episodes:  # afterwards its workers end
                due = log.lines - log.lines % self._every + self._every
                self._sample(process.pid, log.lines)
            remove_stored(self._output)
            time.sleep(POLL_S)

    def _sample(self, pid: int, episodes: int) -> None:
        processes = sample_processes(pid)
        own = frozenset(process.pid for process in processes)
        if pid not in own:  # it has just ended
            return
        new = shared_segments() - self._segments_before
        self._on_sample(
            Sample(
                episodes=episodes,
                seconds=time.monotonic() - self._started,
                processes=processes,
                shared_memory=len(new - foreign_segments(new, own)),
                temporary_files=temporary_files(self._temporary, self._output),
                machine_s=machine_seconds(),
            )
        )


class LineCount:
    """Counts the lines of a file that grows, reading each once.

    Attributes:
        lines: Complete lines so far.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read, self.lines = path, 0, 0

    def update(self) -> int:
        """Count new lines; returns all."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            self._read += len(new)
            self.lines += new.count(b"\n")
        return self.lines


def remove_stored(folder: Path) -> None:
    """Delete the complete files of episodes in an output folder."""
    for path in files_below(folder):
        if path.suffix in STORED and TEMPORARY not in path.name:
            path.unlink(missing_ok=True)
