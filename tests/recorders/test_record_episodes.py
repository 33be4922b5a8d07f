"""The command `record-episodes`, with processes that are interrupted and killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import recording_fakes
from recording_fakes import HORIZON, FailingAgent, FakeAgent, contents
from started_process import StartedProcess, wait_for, with_file_size_limit

from ambidex.envs.registry import SUITES, TASKS
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.formats.act import episode_path
from ambidex.recorders.record_episodes import main

COMMAND = [sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"]
ONE_WITHOUT_IMAGES = "--task insertion --num-episodes 1 --cameras none --output-dir data".split()
RUN = {"capture_output": True, "text": True, "timeout": 120}
FAKE_RUN = Path(recording_fakes.__file__)


def test_quiet_prints_nothing(tmp_path):
    done = subprocess.run([*COMMAND, *ONE_WITHOUT_IMAGES, "--quiet"], **RUN, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_summary_is_one_line_on_stdout(tmp_path, monkeypatch, run_command):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run_command(main, *ONE_WITHOUT_IMAGES, "--workers", "0")
    assert status == 0 and out.startswith("insertion: 1 episode stored, success 1/1 = 100.0 % (95 % interval")
    assert out.count("\n") == 1 and "MB in data" in out


def test_the_lists_name_every_suite_and_every_task(tmp_path, monkeypatch, run_command):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run_command(main, "--list")
    assert status == 0 and all(suite in out for suite in SUITES)
    assert max(map(len, out.splitlines())) <= 130
    lists = "".join(run_command(main, "--list", "--task", suite)[1] for suite in SUITES if "libero" not in suite)
    assert all(f"{task} " in lists for task in TASKS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--task", "insertoin"], "Did you mean 'insertion'"),
        (["--task", "insertion", "--num-episodes", "0"], "--num-episodes 0"),
        (["--task", "insertion", "--storag", "raw"], "--storage"),
        ([], "--list"),
    ],
)
def test_wrong_usage_exits_with_status_2(run_command, flags, words):
    status, out, err = run_command(main, *flags)
    assert (status, out) == (2, "") and words in err


def test_the_status_of_wrong_usage_is_that_of_the_process(tmp_path):
    done = subprocess.run(COMMAND, **RUN, cwd=tmp_path)
    assert done.returncode == 2 and "--list" in done.stderr and done.stdout == ""


def test_running_out_of_attempts_exits_with_status_1_and_prints_a_command_that_allows_more(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: FailingAgent)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([*ONE_WITHOUT_IMAGES, "--max-attempts", "3", "--workers", "0"])
    assert end.value.code == 1
    out, err = capsys.readouterr()
    assert (
        out == "" and "0 of 1 episodes" in err and "0/3 = 0.0 % (95 % interval 0.0 to 56.1, exact 0.00 to 70.76)" in err
    )
    assert err.rstrip().endswith("--max-attempts 6 --workers 0 --resume")


def test_debug_shows_where_a_worker_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: FakeAgent)
    monkeypatch.setattr("ambidex.recorders.recording.worker.ee_actions", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([*ONE_WITHOUT_IMAGES, "--workers", "0", "--debug"])
    assert end.value.code == 1
    err = capsys.readouterr().err
    assert "episode_0.hdf5 was not recorded. TypeError" in err and "recording/worker.py" in err


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupt_leaves_no_half_files_and_prints_how_to_resume(tmp_path, monkeypatch, run_command, number):
    flags = "--task insertion --num-episodes 3 --output-dir data --cameras none".split()
    with StartedProcess(
        [*COMMAND, *flags], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as run:
        wait_for(episode_path(tmp_path / "data", 0).exists, run)
        os.killpg(run.pid, number)  # a terminal sends it to the workers too
        os.killpg(run.pid, number)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    *progress, last = err.splitlines()
    assert last.startswith("record-episodes: Interrupted. insertion: ")
    assert all(line.startswith("insertion: ") for line in progress)  # on a busy machine there is time for some
    resume = last.partition("Resume with: ")[2].split()
    assert resume == ["record-episodes", *flags, "--resume"]
    assert all(not path.name.startswith(".") for path in (tmp_path / "data").rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert run_command(main, *resume[1:], "--workers", "0")[0] == 0 and len(read(tmp_path / "data")) == 3


@pytest.mark.parametrize(
    ("moments", "episodes", "formats"),
    [
        (4, 12, ()),
        pytest.param(20, 120, (), marks=pytest.mark.slow, id="20 moments"),
        pytest.param(8, 60, ("lerobot",), marks=pytest.mark.slow, id="lerobot"),
    ],
)
def test_kill_at_any_moment_and_resume_gives_the_same_files(tmp_path, moments, episodes, formats):
    rng, command = random.Random(moments), [sys.executable, FAKE_RUN]
    killed = tmp_path / "killed"
    kills = 0
    for moment in range(moments):
        rows = len(read_attempts(killed))
        with StartedProcess([*command, killed, "2", str(episodes), *formats], start_new_session=True) as run:
            if moment % 4 == 0:  # while it starts
                wait_for((killed / ".lock").exists, run)
                time.sleep(rng.uniform(0, 1.0))
            else:  # while it works
                wait_for(lambda rows=rows: len(read_attempts(killed)) > rows, run)
                time.sleep(rng.uniform(0, 0.4))
            if run.poll() is not None:  # a fast machine has finished
                break
            os.killpg(run.pid, signal.SIGKILL)
            kills += 1
        for path in killed.rglob("episode_*.hdf5"):
            with read(path) as file:
                assert file.steps == HORIZON
    assert kills >= moments // 2
    for directory in (killed, tmp_path / "straight"):
        recording_fakes.record_as_program(directory, 0, episodes, *formats)
    assert contents(killed) == contents(tmp_path / "straight")


def test_a_full_disk_is_reported_and_resume_completes(tmp_path):
    """A limit on the size of files stands for the full disk: writing fails in the middle of an episode."""
    directory = tmp_path / "data"
    done = subprocess.run([*with_file_size_limit(FAKE_RUN, 30_000), directory, "0", "3"], **RUN)
    assert done.returncode == 1 and "episode_0.hdf5" in done.stderr and "could not be written" in done.stderr
    assert sorted(path.name for path in directory.iterdir()) == ["attempts.jsonl", "dataset.json", "failures"]
    recording_fakes.record_as_program(directory, 0, 3)
    assert read(directory).info.complete
