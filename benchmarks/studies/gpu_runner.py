"""Runs the jobs of the GPU study, notes what is done, and stops in time."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ambidex.atomic_files import append_line, read_complete_lines
from ambidex.benchmarks.studies.gpu_plan import StudyJob

LEDGER = "jobs.jsonl"
LOGS = "logs"
LAST_WORDS = 400  # of a failed job [characters]
GRACE_S = 60.0  # what a command gets to save its work; all of them survive being killed, too


class StudyRunner:
    """Runs jobs, each in a process of its own, that no earlier run has finished.

    Args:
        folder: The study's folder.
        deadline: When to stop, on the clock `time.monotonic` [s]; None for never.
        say: Called with a line about each job.
    """

    def __init__(
        self, folder: Path, deadline: float | None = None, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._folder, self._deadline, self._say = folder, deadline, say
        self._rows = [json.loads(line) for line in read_complete_lines(folder / LEDGER)]
        self.failed: dict[str, str] = {}

    def run(self, jobs: Sequence[StudyJob]) -> None:
        """Run what is left, in order. A job that fails stops only those that need it; see `failed`.

        Raises:
            KeyboardInterrupt: Asked to stop, or the time is up; the message says how far it is.
            DatasetError: The ledger cannot be written.
        """
        for number, job in enumerate(jobs, 1):
            missing = [name for name in job.needs if name in self.failed]
            if missing:
                self.failed[job.name] = f"not run, because {missing[0]} failed"
            elif not self.done(job):
                self._say(f"{number}/{len(jobs)} {job.name}")
                self._run(job, sum(map(self.done, jobs)), len(jobs))

    def done(self, job: StudyJob) -> bool:
        """Whether this very command has come to its end."""
        return any(row["line"] == job.line and row["exit_code"] == 0 for row in self._rows)

    def seconds(self, job: StudyJob) -> float:
        """How long it took, start-up and interrupted runs included [s]."""
        return sum(float(row["seconds"]) for row in self._rows if row["line"] == job.line)

    def _run(self, job: StudyJob, done: int, total: int) -> None:
        started = time.monotonic()
        code, reason = self._wait(job)
        row = {"name": job.name, "line": job.line, "exit_code": code, "seconds": round(time.monotonic() - started, 3)}
        append_line(self._folder / LEDGER, json.dumps(row))
        self._rows.append(row)
        if reason and code != 0:
            raise KeyboardInterrupt(f"{reason}: {done} of {total} jobs are done.")
        if code != 0:
            self.failed[job.name] = self._last_words(job, code)
            self._say(f"{job.name}: {self.failed[job.name]}")

    def _wait(self, job: StudyJob) -> tuple[int, str]:
        """Exit code, and why it was asked to stop, if it was."""
        log = self._log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            process = subprocess.Popen(
                job.argv(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that a Ctrl-C comes once: from here
            )
        try:
            return process.wait(self._left()), ""
        except subprocess.TimeoutExpired:
            return _stop(process), "The time is up"
        except KeyboardInterrupt:
            return _stop(process), "Asked to stop"

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _last_words(self, job: StudyJob, code: int) -> str:
        words = self._log(job).read_text(encoding="utf-8", errors="replace").strip()
        return f"exit code {code}, see {self._log(job)}, which ends: {words[-LAST_WORDS:]}"

    def _log(self, job: StudyJob) -> Path:
        return self._folder / LOGS / f"{job.name}.log"


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
