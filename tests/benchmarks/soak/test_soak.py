"""Soak finds what a worker leaks, and nothing where none does; it counts episodes and deletes their files."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ambidex.benchmarks.soak import __main__ as program
from ambidex.benchmarks.soak.__main__ import SoakConfig, main, soak_commands
from ambidex.benchmarks.soak.monitor import LineCount, SoakCommand, remove_stored
from ambidex.benchmarks.soak.processes import PROC, SHARED_MEMORY, descendants, read
from ambidex.errors import AmbidexError, UsageError

SUPPORT = Path(__file__).parents[2] / "support"
TIMES = {"processor time of an episode", "wall-clock time of an episode"}  # too few episodes to judge them


@pytest.fixture
def agents_found(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")]))
    yield
    for left in SHARED_MEMORY.glob("ambidex-leak-*"):
        left.unlink()


def soak(tmp_path: Path, policy: str, episodes: int = 40) -> tuple[int, dict[tuple[str, str], str]]:
    """The exit status, and (process, quantity) -> verdict."""
    output = tmp_path / "soak.json"
    status = main(SoakConfig(policy=policy, episodes=episodes, every=1, workers=1, output=output, quiet=True))
    (run,) = json.loads(output.read_text())["runs"]
    return status, {(each["process"], each["quantity"]): each["verdict"] for each in run["findings"]}


@pytest.mark.usefixtures("agents_found")
def test_everything_that_a_worker_leaks_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, verdicts = soak(tmp_path, "leaking_agents:LeakingAgent")
    assert status == 1
    assert {key for key, verdict in verdicts.items() if verdict == "grows" and key[1] not in TIMES} == {
        *(("worker 1", quantity) for quantity in ("written memory", "descriptors", "threads")),
        *(("all processes", quantity) for quantity in ("shared memory segments", "temporary files")),
    }
    assert "worker 1       descriptors" in capsys.readouterr().out


@pytest.mark.usefixtures("agents_found")
def test_an_agent_that_leaks_nothing_is_steady(tmp_path: Path) -> None:
    status, verdicts = soak(tmp_path, "leaking_agents:SteadyAgent")
    assert {verdict for key, verdict in verdicts.items() if key[1] not in TIMES} == {"steady"}
    assert {("command", "written memory"), ("worker 1", "written memory")} <= set(verdicts)
    assert status == ("grows" in verdicts.values())


@pytest.mark.usefixtures("agents_found")
def test_an_interrupted_run_prints_and_stores_what_it_has_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = SoakCommand(label="endless", module="endless_command", flags=(), log="log", episodes=10**6)
    monkeypatch.setattr(program, "soak_commands", lambda config: [command])
    interrupt = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        main(SoakConfig(every=1, output=tmp_path / "soak.json", quiet=True))
    (run,) = json.loads((tmp_path / "soak.json").read_text())["runs"]
    assert run["samples"]
    assert f"endless: {run['samples'][-1]['episodes']} of 1000000 episodes sampled" in capsys.readouterr().out
    assert not [pid for pid in descendants(os.getpid()) if "endless_command" in read(PROC / str(pid) / "cmdline")]


def test_a_command_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = SoakCommand(label="failing", module="no_such_module", flags=(), log="log", episodes=1)
    monkeypatch.setattr(program, "soak_commands", lambda config: [command])
    with pytest.raises(AmbidexError, match=r"(?s)failing: .* status 1.*No module named 'no_such_module'"):
        main(SoakConfig(output=tmp_path / "soak.json", quiet=True))


@pytest.mark.parametrize("wrong", [{"episodes": 0}, {"every": 0}, {"task": ()}, {"cameras": ("top",)}])
def test_impossible_flags_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        main(SoakConfig(output=tmp_path / "soak.json", **wrong))  # type: ignore[arg-type]
    assert not (tmp_path / "soak.json").exists()


def test_a_suite_is_one_benchmark_or_a_recording_of_each_task() -> None:
    suite = SoakConfig(task=("aloha", "libero_goal/0"), episodes=7, cameras=(), image_size=(48, 64), workers=2)
    names = [(command.flags[3], command.episodes) for command in soak_commands(suite)]
    assert names == [("aloha", 14), ("libero_goal/0", 7)]
    recordings = list(soak_commands(SoakConfig(**{**vars(suite), "job": "record"})))
    assert [command.flags[1] for command in recordings][:2] == ["transfer_cube", "insertion"]
    expected = "--num-episodes 7 --workers 2 --cameras none --image-size 48 64".split()
    assert all([*command.flags[2:]] == expected for command in recordings)


def test_complete_lines_are_counted_once(tmp_path: Path) -> None:
    log = LineCount(tmp_path / "log")
    assert log.update() == 0
    for text, lines in (("one\ntwo", 1), (" and more\nthree\n", 3), ("", 3)):
        with (tmp_path / "log").open("a") as file:
            file.write(text)
        assert log.update() == lines


def test_only_complete_files_of_episodes_are_deleted(tmp_path: Path) -> None:
    kept = {"results.jsonl", ".episode_1.hdf5.tmp-7", "benchmark.json"}
    (tmp_path / "states").mkdir()
    for name in (*kept, "episode_0.hdf5", "states/3.npz"):
        (tmp_path / name).touch()
    remove_stored(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {*kept, "states"}
