"""Signals stop the arm of a running command first; then it says what is stored."""

import signal
import sys

import pytest
from robot_fakes import CONFIG, SPEC
from started_process import StartedProcess, wait_for

from ambidex.benchmarks.results.folder import ResultsFolder

COMMAND = [sys.executable, "-c", "from ambidex.benchmarks.evaluate_robot import main; main()"]
ARM = """
from dataclasses import replace
from pathlib import Path
from robot_fakes import SPEC, JudgingArm

CALLS = Path(__file__).with_suffix(".txt")


class LoggingArm(JudgingArm):
    def __init__(self, request):
        super().__init__(request)
        self.spec = replace(SPEC, horizon=10**6)

    def verdict(self):
        return super().verdict() if self.seed == 100_000 else None

    def act(self, action):
        super().act(action)
        if self.seed != 100_000:
            CALLS.open("a").write("act ")

    def stop(self):
        CALLS.open("a").write("stop ")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_rollout_stops_the_arm_and_keeps_earlier_ones(tmp_path, monkeypatch, number):
    (tmp_path / "logging_arm.py").write_text(ARM)
    calls = tmp_path / "logging_arm.txt"
    monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
    flags = ["--robot", "logging_arm:LoggingArm", "--policy", CONFIG.policy, "--task", SPEC.task, "--verdicts", "robot"]
    flags += ["--video", "none", "--rollouts", "2", "--output-dir", str(tmp_path / "results")]
    with StartedProcess([*COMMAND, *flags], stderr=-1, text=True) as run:
        wait_for(lambda: calls.exists() and calls.read_text().count("act") > 3, run)
        run.send_signal(number)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "1 of 2 rollouts are stored" in " ".join(err.split())
    assert calls.read_text().startswith("stop act") and calls.read_text().endswith("act stop ")
    assert [row.success for row in ResultsFolder(tmp_path / "results").rows] == [True]
