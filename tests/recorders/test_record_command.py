import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recording_fakes import HORIZON, FailingAgent, FakeAgent, contents
from started_process import StartedProcess

from ambidex.envs.registry import TASKS
from ambidex.recorders.dataset.dataset import read, read_attempts
from ambidex.recorders.formats.act import episode_path
from ambidex.recorders.record_episodes import main

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"]
ONE_WITHOUT_IMAGES = "--task insertion --num-episodes 1 --cameras none --output-dir data".split()
RUN = {"capture_output": True, "text": True, "timeout": 120}


def test_quiet_is_silent(tmp_path):
    done = subprocess.run([*COMMAND, *ONE_WITHOUT_IMAGES, "--quiet"], **RUN, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_summary_is_one_line_on_stdout(tmp_path):
    done = subprocess.run([*COMMAND, *ONE_WITHOUT_IMAGES], **RUN, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("insertion: 1 episode kept, success 1/1 = 100.0 % (95 % interval")
    assert done.stdout.count("\n") == 1 and "MB in data" in done.stdout


def test_the_list_names_every_task(tmp_path):
    done = subprocess.run([*COMMAND, "--list"], **RUN, cwd=tmp_path)
    assert done.returncode == 0 and all(task in done.stdout for task in TASKS)
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
def test_wrong_usage_leaves_with_2(tmp_path, flags, words):
    done = subprocess.run([*COMMAND, *flags], **RUN, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_running_out_of_attempts_leaves_with_1_and_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ambidex.recorders.recording.record._expert", lambda config: FailingAgent)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as leaving:
        main([*ONE_WITHOUT_IMAGES, "--max-attempts", "3", "--workers", "0"])
    assert leaving.value.code == 1
    out, err = capsys.readouterr()
    assert out == "" and "0 of 1 episodes" in err and "0/3 = 0.0 % (95 % interval 0.0 to 56.1)" in err
    assert err.rstrip().endswith("--max-attempts 6 --workers 0 --resume")


def test_debug_shows_where_a_worker_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ambidex.recorders.recording.record._expert", lambda config: FakeAgent)
    monkeypatch.setattr("ambidex.recorders.recording.worker.write_rendered_episode", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as leaving:
        main([*ONE_WITHOUT_IMAGES, "--workers", "0", "--debug"])
    assert leaving.value.code == 1
    err = capsys.readouterr().err
    assert "episode_0.hdf5 was not recorded. TypeError" in err and "recording/worker.py" in err


def test_ctrl_c_leaves_no_half_files_and_says_how_to_resume(tmp_path):
    flags = "--task insertion --num-episodes 3 --output-dir data --cameras none".split()
    with StartedProcess(
        [*COMMAND, *flags], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as run:
        wait_for(episode_path(tmp_path / "data", 0).exists, run)
        os.killpg(run.pid, signal.SIGINT)  # a terminal sends it to the workers too
        _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    *progress, last = said.splitlines()
    assert last.startswith("record-episodes: Interrupted. insertion: ")
    assert all(line.startswith("insertion: ") for line in progress)  # on a busy machine there is time for some
    resume = last.partition("Go on with: ")[2].split()
    assert resume == ["record-episodes", *flags, "--resume"]
    assert all(not path.name.startswith(".") for path in (tmp_path / "data").rglob("*"))
    done = subprocess.run([*COMMAND, *resume[1:]], **RUN, cwd=tmp_path)
    assert done.returncode == 0 and len(read(tmp_path / "data")) == 3


FAKE_RUN = """
import sys
sys.path.insert(0, {folder!r})
from pathlib import Path
from dataclasses import replace
from ambidex.recorders.recording.record import record
from recording_fakes import SMALL, FakeAgent
if __name__ == "__main__":
    directory, workers, episodes = sys.argv[1:]
    config = replace(SMALL, output_dir=Path(directory), workers=int(workers), num_episodes=int(episodes))
    record(replace(config, keep_failures=True, resume=True), FakeAgent)
"""


@pytest.fixture
def fake_run(tmp_path):
    """Command to record, or go on recording, with the fake agent: folder, workers and episodes follow."""
    script = tmp_path / "fake_run.py"
    script.write_text(FAKE_RUN.format(folder=str(HERE)))
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("moments", "episodes"), [(4, "20"), pytest.param(20, "120", marks=pytest.mark.slow, id="20 moments")]
)
def test_kill_at_any_moment_and_resume_gives_the_same_files(tmp_path, fake_run, moments, episodes):
    rng = random.Random(moments)
    killed = tmp_path / "killed"
    kills = 0
    for moment in range(moments):
        rows = len(read_attempts(killed))
        with StartedProcess([*fake_run, killed, "2", episodes], start_new_session=True) as run:
            if moment % 4 == 0:  # while it starts
                wait_for((killed / ".lock").exists, run)
                time.sleep(rng.uniform(0, 1.0))
            else:  # while it works
                wait_for(lambda rows=rows: len(read_attempts(killed)) > rows, run)
                time.sleep(rng.uniform(0, 0.4))
            if run.poll() is not None:  # a fast machine has done it all
                break
            os.killpg(run.pid, signal.SIGKILL)
            kills += 1
        for path in killed.rglob("episode_*.hdf5"):
            with read(path) as file:
                assert file.steps == HORIZON
    assert kills >= moments // 2
    subprocess.run([*fake_run, killed, "2", episodes], check=True, timeout=120)
    subprocess.run([*fake_run, tmp_path / "straight", "1", episodes], check=True, timeout=120)
    assert contents(killed) == contents(tmp_path / "straight")


LIMITED = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); "


def test_a_full_disk_is_said_and_resume_completes(tmp_path, fake_run):
    """A limit on the size of files stands for the full disk: writing fails in the middle of an episode."""
    directory = tmp_path / "data"
    limited = [sys.executable, "-c", f"{LIMITED} sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"]
    done = subprocess.run([*limited, *fake_run[1:], directory, "0", "3"], **RUN)
    assert done.returncode == 1 and "episode_0.hdf5" in done.stderr and "could not be written" in done.stderr
    assert sorted(path.name for path in directory.iterdir()) == ["attempts.jsonl", "dataset.json", "failures"]
    subprocess.run([*fake_run, directory, "2", "3"], check=True, timeout=120)
    assert read(directory).info.complete


def wait_for(condition, run):
    deadline = time.monotonic() + 240  # on a machine that others keep busy
    while not condition() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
