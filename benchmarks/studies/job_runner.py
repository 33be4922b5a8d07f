"""Runs the jobs of a study, keeps a log of them, and stops when the time is up."""

import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ambidex.atomic_files import append_line, read_complete_lines
from ambidex.command_line import DONE, FAILED, print_message
from ambidex.output_folder import exclusive_lock

COMMANDS = {
    "record-episodes": ("ambidex.recorders.record_episodes", "dataset.json"),
    "render-episodes": ("ambidex.recorders.render_episodes", "dataset.json"),
    "train-policy": ("ambidex.policies.train_policy", "train.json"),
    "run-benchmark": ("ambidex.benchmarks.run_benchmark", "benchmark.json"),
    "training-speed": ("ambidex.benchmarks.speed.training_speed", "none"),
}
"""Command -> its module, and the file that exists once it can be resumed; "none" if it always starts again."""
JOB_LOG = "jobs.jsonl"
OUTPUTS = "logs"
LAST_OUTPUT = 400  # of a failed job, for its message [characters]
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's <sys/prctl.h>
GRACE_S = 60.0  # for a command to save its work; killing it loses no finished work either


@dataclass(frozen=True, kw_only=True)
class StudyJob:
    """One command of the study, which runs in a process of its own.

    Attributes:
        name: Unique within the study; names its log.
        command: One of the project's commands.
        flags: Its flags.
        marker: A file that exists once the command can be resumed.
        needs: Names of the jobs whose output it reads.
    """

    name: str
    command: str
    flags: tuple[str, ...]
    marker: Path
    needs: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The command line, which identifies the job."""
        return " ".join((self.command, *self.flags))

    def argv(self) -> list[str]:
        """What to run. It needs no installed commands, PYTHONPATH is enough."""
        code = f"from {COMMANDS[self.command][0]} import main; main()"
        resume = ["--resume"] if self.marker.exists() else []
        return [sys.executable, "-c", code, *self.flags, *resume]


class StudyRunner:
    """Runs each job in a process of its own, unless an earlier run has finished it.

    Args:
        folder: The study's folder.
        deadline: When to stop, on the clock `time.monotonic` [s]; None for never.
        say: Called with a line about each job.

    Attributes:
        failed: Job -> why it failed or could not run.
    """

    def __init__(
        self, folder: Path, deadline: float | None = None, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._folder, self._deadline, self._say = folder, deadline, say
        self._rows = [json.loads(line) for line in read_complete_lines(folder / JOB_LOG)]
        self.failed: dict[str, str] = {}

    def run(self, jobs: Sequence[StudyJob]) -> None:
        """Run the jobs that are not done, in order. A job that fails stops only those that need it.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the time is up; the message says how many jobs are done.
        """
        for number, job in enumerate(jobs, 1):
            missing = [name for name in job.needs if name in self.failed]
            if missing:
                self.failed[job.name] = f"not run, because {missing[0]} failed"
            elif not self.done(job):
                self._say(f"{number}/{len(jobs)} {job.name}")
                self._run(job, sum(map(self.done, jobs)), len(jobs))

    def done(self, job: StudyJob) -> bool:
        """Whether exactly this command has finished."""
        return any(row["line"] == job.line and row["exit_code"] == 0 for row in self._rows)

    def seconds(self, job: StudyJob) -> float:
        """How long the job took, start-up and interrupted runs included [s]."""
        return sum(float(row["seconds"]) for row in self._rows if row["line"] == job.line)

    def _run(self, job: StudyJob, done: int, total: int) -> None:
        started = time.monotonic()
        status, reason = self._wait(job)
        row = {"name": job.name, "line": job.line, "exit_code": status, "seconds": round(time.monotonic() - started, 3)}
        append_line(self._folder / JOB_LOG, json.dumps(row))
        self._rows.append(row)
        if reason and status != 0:
            raise KeyboardInterrupt(f"{reason}: {done} of {total} jobs are done.")
        if status != 0:
            self.failed[job.name] = self._failure(job, status)
            self._say(f"{job.name}: {self.failed[job.name]}")

    def _wait(self, job: StudyJob) -> tuple[int, str]:
        """Exit status, and why the job was stopped, if it was."""
        log = self._log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            process = subprocess.Popen(
                job.argv(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that Ctrl-C reaches it once: from `_stop`
                preexec_fn=_end_with_parent,
            )
        try:
            remaining = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            return process.wait(remaining), ""
        except subprocess.TimeoutExpired:
            return _stop(process), "The time is up"
        except KeyboardInterrupt:
            return _stop(process), "Asked to stop"

    def _failure(self, job: StudyJob, status: int) -> str:
        output = self._log(job).read_text(encoding="utf-8", errors="replace").strip()
        if len(output) > LAST_OUTPUT:
            output = f"... {output[-LAST_OUTPUT:].partition(' ')[2]}"
        return f"exit status {status}, see {self._log(job)}, which ends: {output}"

    def _log(self, job: StudyJob) -> Path:
        return self._folder / OUTPUTS / f"{job.name}.log"


class StudyConfig(Protocol):
    """The flags that all studies have."""

    @property
    def output_dir(self) -> Path: ...
    @property
    def minutes(self) -> int | None: ...
    @property
    def quiet(self) -> bool: ...


def run_study(name: str, config: StudyConfig, jobs: Sequence[StudyJob], report: Callable[[StudyRunner], None]) -> int:
    """Run the jobs that are not done, and report everything measured so far, also after an interruption.

    Args:
        name: The command, for its messages.
        config: Its flags.
        jobs: All jobs of the study; each comes after those it needs.
        report: Writes and prints the report.

    Returns:
        The exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C, SIGTERM, or the time is up.
    """
    deadline = None if config.minutes is None else time.monotonic() + 60 * config.minutes
    with exclusive_lock(config.output_dir):
        runner = StudyRunner(
            config.output_dir, deadline, lambda text: None if config.quiet else print_message(name, text)
        )
        try:
            runner.run(jobs)
        except KeyboardInterrupt as interrupt:
            report(runner)
            raise KeyboardInterrupt(f"{interrupt} Run the same command again to resume.") from None
        report(runner)
    return FAILED if runner.failed else DONE


def _end_with_parent() -> None:
    """In a job's process: let Linux kill it when the study is killed, so that the resumed study finds no other one."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()  # SIGINT has no effect on jobs of a study that a shell started in the background
    try:
        return process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
