"""Jobs of a study whose own process is killed or interrupted."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from dataclasses import dataclass
from pathlib import Path
from ambidex.benchmarks.studies.job_runner import StudyJob, run_study
from ambidex.command_line import run

class CodeJob(StudyJob):
    def argv(self):
        return [sys.executable, "-c", self.flags[0]]

@dataclass(frozen=True, kw_only=True)
class Config:
    output_dir: Path = Path(".")
    minutes: int | None = None
    quiet: bool = True
    debug: bool = False

def main(config):
    job = CodeJob(name="job", command="python", flags=(sys.argv[1],), marker=Path("none"))
    return run_study("study", config, [job], lambda runner: None)

run("study", main, Config, [])
"""
JOB = """
import os, signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.default_int_handler)
Path("new").write_text(str(os.getpid()))
Path("new").rename("pid")
try:
    time.sleep(120)
except KeyboardInterrupt:
    Path("asked").touch()
    time.sleep(2)
    raise SystemExit(130)
"""


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def study(tmp_path):
    """The process of a study whose only job has started."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, textwrap.dedent(JOB)], cwd=tmp_path)
    wait_for((tmp_path / "pid").exists)
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends processes with their parent")
def test_a_job_ends_with_a_killed_study(study, tmp_path):
    pid = int((tmp_path / "pid").read_text())
    assert is_running(pid)
    study.kill()
    study.wait()
    wait_for(lambda: not is_running(pid), 10.0)


def test_a_second_signal_does_not_interrupt_the_end_of_a_job(study, tmp_path):
    study.send_signal(signal.SIGTERM)
    wait_for((tmp_path / "asked").exists)
    study.send_signal(signal.SIGTERM)
    assert study.wait(60) == 130
    (row,) = map(json.loads, (tmp_path / "jobs.jsonl").read_text().splitlines())
    assert row["name"] == "job" and not is_running(int((tmp_path / "pid").read_text()))
