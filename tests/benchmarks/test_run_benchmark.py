"""The command `run-benchmark`: output, exit statuses, and resuming after it was killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarking_fakes import DyingAgent, assert_same_results, run_into
from started_process import StartedProcess

from ambidex.benchmarks.evaluation.agents import BASELINES
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.run_benchmark import main

COMMAND = [sys.executable, "-c", "from ambidex.benchmarks.run_benchmark import main; main()"]
RUN = {"capture_output": True, "text": True, "timeout": 120}
SUPPORT = Path(__file__).resolve().parent.parent / "support"


def test_it_prints_the_rate_its_interval_and_the_address_of_the_page(tmp_path, monkeypatch, run_command):
    flags = "--policy hold --task insertion --episodes 1 --video none --output-dir out --workers 0".split()
    done = subprocess.run([*COMMAND, *flags], **RUN, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0/1 = 0.0 % (95 % interval 0.0 to 79.3, exact 0.00 to 97.50)" in done.stdout
    assert "insertion: touched 0/1, lifted 0/1" in done.stdout
    assert f"file://{tmp_path}/out/report.html" in done.stdout and (tmp_path / "out" / "report.html").is_file()
    monkeypatch.chdir(tmp_path)
    assert run_command(main, *flags, "--resume", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--policy", "scripted"], "--task"),
        (["--policy", "scripted", "--task", "insertion", "--seed", "7"], "training seed"),
        (["--policy", "scripted", "--task", "insertion", "--episode"], "--episodes"),
        (["--policy", "act", "--task", "insertion"], "train-policy --policy act"),
        (["--policy", "hold", "--task", "insertion", "--perturb"], "Name one or more of camera, wrist_camera"),
    ],
)
def test_wrong_usage_exits_with_2(tmp_path, monkeypatch, run_command, flags, expected):
    monkeypatch.chdir(tmp_path)
    status, out, err = run_command(main, *flags)
    assert (status, out) == (2, "") and expected in err
    assert list(tmp_path.iterdir()) == []


def test_the_status_of_wrong_usage_is_that_of_the_process(tmp_path):
    done = subprocess.run([*COMMAND, "--policy", "scripted"], **RUN, cwd=tmp_path)
    assert done.returncode == 2 and "--task" in done.stderr and done.stdout == ""


def test_missing_episodes_exit_with_1_and_print_how_to_resume(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "2")
    monkeypatch.setitem(BASELINES, "hold", DyingAgent)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main("--policy hold --task insertion --episodes 4 --workers 1 --video none --output-dir out".split())
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert "1/3 = 33.3 %" in out and "3 of 4 episodes" in err and "seed 100003" in err
    assert err.rstrip().endswith("--episodes 4 --output-dir out --video none --workers 1 --resume")


def test_ctrl_c_keeps_finished_episodes_and_prints_how_to_resume(tmp_path, monkeypatch, run_command):
    flags = "--policy scripted --task insertion --episodes 4 --output-dir out --video none".split()
    with StartedProcess(
        [*COMMAND, *flags], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as run:
        wait_for(lambda: ResultsFolder(tmp_path / "out").rows, run)
        os.killpg(run.pid, signal.SIGINT)  # a terminal sends it to the workers too
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.startswith("run-benchmark: Interrupted. ") and err.count("\n") == 1
    resume = err.partition("Resume with: ")[2].split()
    assert resume == ["run-benchmark", *flags, "--resume"]
    assert all(not path.name.startswith(".") for path in (tmp_path / "out").rglob("*"))
    stored = len(ResultsFolder(tmp_path / "out").rows)
    assert 1 <= stored < 4 and f"{stored} of 4 episodes are stored in out" in err
    monkeypatch.chdir(tmp_path)
    status, out, _ = run_command(main, *resume[1:], "--workers", "0")
    assert status == 0 and "4/4 = 100.0 %" in out


def test_sigterm_during_start_up_prints_how_to_resume(tmp_path):
    flags = "--policy scripted --task insertion --output-dir out".split()
    with StartedProcess([*COMMAND, *flags], stderr=subprocess.PIPE, text=True, cwd=tmp_path) as run:
        wait_for((tmp_path / "out" / ".lock").exists, run)
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "Resume with: run-benchmark" in err


FAKE_RUN = """
import sys
sys.path.insert(0, {folder!r})
from pathlib import Path
from typing import cast
from benchmarking_fakes import FakeAgent, run_into
if __name__ == "__main__":
    directory, workers, episodes = sys.argv[1:]
    run_into(Path(directory), workers=int(workers), episodes=int(episodes), resume=True)
"""


@pytest.mark.parametrize(("moments", "episodes"), [(3, 40), pytest.param(16, 300, marks=pytest.mark.slow, id="16")])
def test_kill_at_any_moment_and_resume_gives_the_same_results(tmp_path, moments, episodes):
    (tmp_path / "fake_run.py").write_text(FAKE_RUN.format(folder=str(SUPPORT)))
    fake_run = [sys.executable, str(tmp_path / "fake_run.py")]
    rng, killed, kills = random.Random(moments), tmp_path / "killed", 0
    for moment in range(moments):
        rows = len(ResultsFolder(killed).rows)
        with StartedProcess([*fake_run, killed, "2", str(episodes)], start_new_session=True) as run:
            if moment % 4 == 0:  # during start-up
                wait_for((killed / ".lock").exists, run)
                time.sleep(rng.uniform(0, 1.0))
            else:  # during episodes
                wait_for(lambda rows=rows: len(ResultsFolder(killed).rows) > rows, run)
                time.sleep(rng.uniform(0, 0.1))
            if run.poll() is not None:  # it has finished, on a fast machine
                break
            os.killpg(run.pid, signal.SIGKILL)
            kills += 1
    assert kills
    run_into(killed, workers=0, episodes=episodes, resume=True)
    run_into(tmp_path / "uninterrupted", workers=0, episodes=episodes)
    assert_same_results(killed, tmp_path / "uninterrupted")


def wait_for(condition, run):
    deadline = time.monotonic() + 240  # on a busy machine
    while not condition() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


class HopelessAgent:
    """Raises an error in every episode."""

    def __init__(self, env):
        pass

    def reset(self, observation, seed):
        raise RuntimeError("no weights")


def test_a_run_of_errors_alone_exits_with_1_and_prints_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(BASELINES, "hold", HopelessAgent)
    flags = "--policy hold --task insertion --episodes 2 --video none --workers 0 --output-dir".split()
    with pytest.raises(SystemExit) as ended:
        main([*flags, str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert ended.value.code == 1 and "0/2" in out
    assert "2 of 2 episodes ended with an error. The first: insertion, seed 100000: RuntimeError: no weights" in err
