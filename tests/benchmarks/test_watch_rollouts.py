"""The command watch-rollouts."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from dataset_folder import write_dataset
from page_parts import PageParts
from results_folder import FIRST_SEED, make_row, rewrite_row, typical_rows, write_results
from started_process import StartedProcess

from ambidex.benchmarks.watch_rollouts import main

COMMAND = [sys.executable, "-c", "from ambidex.benchmarks.watch_rollouts import main; main()"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "act", typical_rows()[:3])


def run(capsys, *words):
    """Exit status, stdout and stderr of the command in this process."""
    with pytest.raises(SystemExit) as leaving:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    return leaving.value.code, out, err


def test_command_serves_until_ctrl_c(results):
    with StartedProcess(
        [*COMMAND, results, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        address = watching.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert len(PageParts(answer.read().decode()).episodes) == 3
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=30)
    assert (watching.returncode, out) == (130, "")
    assert err == "watch-rollouts: Interrupted. The gallery is closed; videos that were made are kept.\n"


def test_ctrl_c_while_a_video_is_made_leaves_no_incomplete_file(tmp_path):
    folder = write_dataset(tmp_path / "data", steps=3000)
    with StartedProcess(
        [*COMMAND, folder, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        address = watching.stdout.readline().strip()
        urllib.request.urlopen(f"{address}0/insertion/0.mp4", data=b"", timeout=30).close()
        while not list(folder.rglob("*.tmp-*")):
            assert watching.poll() is None
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
    assert watching.returncode == 130 and err.count("\n") == 1
    assert not [path for path in (folder / "videos").rglob("*") if path.is_file()]


def test_a_wrong_folder_is_refused_with_suggestions(results, capsys):
    code, _, err = run(capsys, results.parent)
    assert code == 2
    assert "benchmark.json" in err and "dataset.json" in err and "run-benchmark" in err and "record-episodes" in err
    assert str(results) in err


@pytest.mark.parametrize(("name", "words"), [("nowhere", "does not exist"), ("report.html", "is a file")])
def test_a_path_that_is_not_a_folder_is_refused(tmp_path, capsys, name, words):
    (tmp_path / "report.html").touch()
    code, _, err = run(capsys, tmp_path / name)
    assert code == 2 and words in err


def test_a_report_suggests_its_folder(results, capsys):
    (results / "report.html").touch()
    code, _, err = run(capsys, results / "report.html")
    assert code == 2 and f"near it: {results}." in err


def test_one_or_two_folders_are_accepted(results, capsys):
    assert run(capsys)[0] == 2
    code, _, err = run(capsys, results, results, results)
    assert code == 2 and "3 folders" in err


def test_a_port_in_use_is_refused(results, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = run(capsys, results, "--port", port)
    assert code == 2 and f"--port {port} is in use" in err


def test_a_second_gallery_uses_the_next_free_port(results):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with StartedProcess([*COMMAND, results], **pipes) as first, StartedProcess([*COMMAND, results], **pipes) as second:
        addresses = [watching.stdout.readline().strip() for watching in (first, second)]
        assert addresses[0] != addresses[1]
        for address, watching in zip(addresses, (first, second), strict=True):
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.status == 200
            watching.send_signal(signal.SIGINT)
        said = dict(zip(addresses, (watching.communicate(timeout=30)[1] for watching in (first, second)), strict=True))
    higher = max(addresses, key=lambda address: int(address.rsplit(":")[-1].strip("/")))
    port = higher.rsplit(":")[-1].strip("/")
    assert f"Port 8400 is in use, perhaps by another gallery; using port {port}." in said[higher]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "70000"], "--port 70000"),
        (["--cameras", "sideways"], "sideways"),
        (["--cameras", "none"], "at least one camera"),
        (["--image-size", "0", "64"], "0 x 64"),
        (["--render-quality", "nice"], "nice"),
        (["--budget", "-1", "--export", "page.html"], "--budget"),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_written(results, tmp_path, monkeypatch, capsys, flags, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, results, *flags)
    assert code == 2 and words in err and not list(tmp_path.iterdir())


def test_a_damaged_folder_exits_with_1(tmp_path, capsys):
    folder = write_results(tmp_path, typical_rows()[:1], videos=False)
    (folder / "results.jsonl").write_text("nonsense\n")
    code, _, err = run(capsys, folder)
    assert code == 1 and "results.jsonl" in err


def test_export_makes_missing_videos_and_writes_one_page_and_nothing_else(tmp_path, capsys):
    rows = [make_row(), make_row(seed=FIRST_SEED + 1, outcome="failure", stage=1)]
    folder = write_results(tmp_path / "act", rows, videos=False, states=True)
    before = sorted(folder.rglob("*"))
    flags = ["--export", tmp_path / "out" / "page.html", "--workers", 0, "--image-size", 24, 32]
    code, out, err = run(capsys, folder, *flags)
    assert (code, err) == (0, "")
    assert out == f"{tmp_path}/out/page.html: 2 videos, {(tmp_path / 'out/page.html').stat().st_size / 1e6:.1f} MB.\n"
    page = PageParts((tmp_path / "out" / "page.html").read_text())
    assert len(page.videos) == 2 and all(b"ftyp" in video[:16] for video in page.videos.values())
    assert sorted(folder.rglob("*")) == before and list((tmp_path / "out").iterdir()) == [
        tmp_path / "out" / "page.html"
    ]


@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_export_reports_episodes_whose_states_are_missing_or_damaged(tmp_path, capsys, damage):
    folder = write_results(
        tmp_path / "act", [make_row(seed=FIRST_SEED + i) for i in range(3)], videos=False, states=True
    )
    states = folder / "states" / "insertion" / f"{FIRST_SEED + 1}.npz"
    if damage == "missing":
        states.unlink()
    else:
        states.write_bytes(states.read_bytes()[:100])
    flags = ["--export", tmp_path / "page.html", "--workers", 0, "--image-size", 24, 32]
    code, out, err = run(capsys, folder, *flags)
    page = PageParts((tmp_path / "page.html").read_text())
    assert code == 1 and ": 2 videos, " in out and len(page.videos) == 2
    assert err.startswith(f"watch-rollouts: 1 video could not be made. insertion, seed {FIRST_SEED + 1}: {states}")
    assert "run-benchmark --resume" in err and err.partition(": ")[2].strip() == page.model["notice"]
    assert str(states) in page.episodes[1]["media"]["why"]


def test_export_makes_no_more_videos_than_fit_and_reports_it(tmp_path, capsys):
    rows = [make_row(seed=FIRST_SEED + i) for i in range(20)]
    folder = write_results(tmp_path / "act", rows, videos=False, states=True)
    flags = ["--export", tmp_path / "page.html", "--workers", 0, "--image-size", 24, 32, "--budget", 0.05]
    code, out, _ = run(capsys, folder, *flags)
    page = PageParts((tmp_path / "page.html").read_text())
    assert code == 0 and 0 < len(page.videos) < 16
    assert f"{20 - len(page.videos)} of 20 videos are not in the page: 4 have not been made and" in out
    assert f"watch-rollouts {folder}" in out and page.model["notice"] in out


def test_export_of_two_folders_compares_them(tmp_path, results, capsys):
    other = write_results(tmp_path / "scripted", typical_rows("scripted", lucky=2)[:3])
    code, _, _ = run(capsys, results, other, "--export", tmp_path / "page.html", "--quiet")
    page = PageParts((tmp_path / "page.html").read_text())
    assert code == 0 and [run["label"] for run in page.model["runs"]] == ["act chunk:100", "scripted chunk:100"]
    assert len(page.videos) == 6


def test_quiet_export_prints_nothing(tmp_path, results, capsys):
    assert run(capsys, results, "--export", tmp_path / "page.html", "--quiet") == (0, "", "")


def test_help_does_not_load_the_simulator():
    code = "import sys, ambidex.benchmarks.watch_rollouts; print(sorted({'mujoco', 'torch', 'av'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("task", ["..", "a/..", "a/...bddl", "", "a\x1b[31mred", "x" * 500])
def test_a_task_that_is_no_file_name_is_refused(tmp_path, capsys, task):
    folder = write_results(tmp_path / "act", [make_row("insertion")], videos=False)
    rewrite_row(folder, 0, task=task)
    text = (folder / "benchmark.json").read_text().replace('"insertion": {', f"{json.dumps(task)}: {{")
    (folder / "benchmark.json").write_text(text)
    with pytest.raises(SystemExit) as ended:
        main([str(folder), "--export", str(tmp_path / "page.html"), "--workers", "0"])
    err = capsys.readouterr().err
    assert ended.value.code == 1 and "no name of a task" in err and "\x1b" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["act"]


def test_no_seed_of_a_results_file_makes_export_write_outside_its_folder(tmp_path, capsys):
    folder = write_results(tmp_path / "a" / "b" / "act", [make_row("insertion")], videos=False, states=True)
    rewrite_row(folder, 0, seed="../../../victim")
    with pytest.raises(SystemExit) as ended:
        main([str(folder), "--export", str(tmp_path / "page.html"), "--workers", "0"])
    assert ended.value.code == 1 and "seed: expected int, got str" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and not list(tmp_path.rglob("*victim*"))
