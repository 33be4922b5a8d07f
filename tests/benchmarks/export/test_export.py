"""Exported results: which folders are one policy, the numbers in each format, and what leaderboards get."""

import csv
import io
import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from paired_results import write_outcomes
from PIL import Image
from results_folder import FIRST_SEED, make_row, rewrite_row, write_results

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.export.entries import ALL, SUITE, TASK, Line, lines, read_entries, setting_differences
from ambidex.benchmarks.export.leaderboard import leaderboard, libero_mean, rows_sha256
from ambidex.benchmarks.export.tables import latex_table, latex_text
from ambidex.benchmarks.export_results import main
from ambidex.benchmarks.results.info import BenchmarkInfo, CodeInfo
from ambidex.benchmarks.results.row import MEASURED, ROBOT_ONLY
from ambidex.envs.registry import SUITES
from ambidex.errors import UsageError
from ambidex.flags import flags_to_json
from ambidex.intervals import wilson_interval

BOTH = {"insertion": "ssssffff", "transfer_cube": "sssssssf"}


@pytest.fixture
def results(tmp_path):
    """Two policies: one with the whole suite, one with one of its tasks."""
    first = write_outcomes(tmp_path / "first", BOTH)
    second = write_outcomes(tmp_path / "second", {"insertion": "sffffffe"}, policy="scripted")
    return [first, second]


def output_of(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    return end.value.code, capsys.readouterr()


def test_tasks_their_suite_and_all_of_them_are_lines(results, tmp_path):
    entries = read_entries(results)
    assert [entry.name for entry in entries] == ["act", "scripted"]
    tasks = ("insertion", "transfer_cube")
    expected = [Line(kind=TASK, name=task, tasks=(task,)) for task in tasks]
    assert lines(entries, TASK) == [*expected, Line(kind=SUITE, name="aloha", tasks=tasks)]
    assert lines(entries, SUITE) == [Line(kind=SUITE, name="aloha", tasks=tasks)]
    libero = "libero_goal/turn_on_the_stove"
    several = [*results, write_outcomes(tmp_path / "libero", "ss", task=libero)]
    assert lines(read_entries(several), SUITE)[1:] == [
        Line(kind=TASK, name=libero, tasks=(libero,)),
        Line(kind=ALL, name=ALL, tasks=(*tasks, libero)),
    ]


def test_folders_of_one_policy_with_other_tasks_are_one_entry(tmp_path):
    parts = [write_outcomes(tmp_path / task, outcomes, task=task) for task, outcomes in BOTH.items()]
    (entry,) = read_entries(parts)
    assert list(entry.specs) == list(BOTH) and entry.tally(tuple(BOTH)).successes == 11
    again = write_outcomes(tmp_path / "again", "ff")
    assert [each.name for each in read_entries([*parts, again])] == ["act (insertion)", "act (again)"]
    assert [each.name for each in read_entries([*parts, again], ["Ours", "Theirs"])] == ["Ours", "Theirs"]
    for names in (["one"], ["same", "same"]):
        with pytest.raises(UsageError):
            read_entries([*parts, again], names)


@pytest.mark.parametrize("changes", [{"execution": "chunk:1"}, {"protocol": "openvla"}])
def test_another_execution_or_protocol_is_another_entry(tmp_path, changes):
    folders = [write_outcomes(tmp_path / task, outcomes, task=task) for task, outcomes in BOTH.items()]
    replace(BenchmarkInfo.read(folders[1]), **changes).write(folders[1])
    assert len(read_entries(folders)) == 2


def test_code_of_another_sha256_is_another_policy(tmp_path):
    folders = [write_outcomes(tmp_path / task, outcomes, task=task, policy="mine") for task, outcomes in BOTH.items()]
    for folder, digest in zip(folders, "ab", strict=True):
        source = CodeInfo(module="m", qualified_name="f", file="m.py", sha256=digest)
        replace(BenchmarkInfo.read(folder), source=source).write(folder)
    entries = read_entries(folders)
    assert [entry.name for entry in entries] == ["mine (insertion)", "mine (transfer_cube)"]
    assert leaderboard(entries)["entries"][0]["runs"][0]["source"]["sha256"] == "a"


def test_a_policy_without_a_task_has_no_rate_of_its_suite(results):
    second = read_entries(results)[1]
    assert second.tally(("insertion",)).n == 8 and second.tally(tuple(BOTH)).n == 0


def test_csv_has_every_number(results, capsys):
    code, output = output_of(capsys, *results, "--format", "csv")
    rows = {(row["name"], row["tasks"]): row for row in csv.DictReader(io.StringIO(output.out))}
    assert code == 0 and len(rows) == 4
    row = rows["act", "aloha"]
    assert (row["kind"], row["episodes"], row["successes"], row["rate"]) == ("suite", "16", "11", str(11 / 16))
    assert [float(row["wilson_low"]), float(row["wilson_high"])] == list(wilson_interval(11, 16))
    assert rows["scripted", "insertion"]["errors"] == "1" and ("scripted", "aloha") not in rows


def test_markdown_and_latex(results, tmp_path, capsys):
    low, high = (100 * end for end in wilson_interval(4, 8))
    assert output_of(capsys, *results)[1].out.splitlines()[2] == (
        f"| insertion | 8 | 50.0 ({low:.1f} to {high:.1f}) | 12.5 (2.2 to 47.1) |"
    )
    file = tmp_path / "table.tex"
    assert output_of(capsys, *results, "--output", file, "--names", "A_1", "B&C")[0] == 0
    text = file.read_text()
    assert r"Task & Episodes & A\_1 & B\&C \\" in text and r"transfer\_cube & 8 & 87.5" in text and "& -- " in text
    assert text.count(r"\midrule") == 2 and text.startswith("% Success rates")
    assert f"seeds {FIRST_SEED} to {FIRST_SEED + 7}" in text
    assert latex_text("a\\b^~{}#$%") == r"a\textbackslash{}b\textasciicircum{}\textasciitilde{}\{\}\#\$\%"


def test_rules_of_latex_stand_between_suites(results, tmp_path):
    entries = read_entries([*results, write_outcomes(tmp_path / "libero", "s", task="libero_goal/turn_on_the_stove")])
    text = latex_table(entries, lines(entries, TASK)).splitlines()
    kinds = ["rule" if line == r"\midrule" else line.split(" & ")[0] for line in text[4:-2]]
    assert kinds == [
        *("rule", "insertion", r"transfer\_cube", "rule", "aloha", "rule"),
        *(r"libero\_goal/turn\_on\_the\_stove", "rule", "all"),
    ]


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_the_figure_has_a_bar_for_every_rate(results, tmp_path, capsys, ending):
    file = tmp_path / f"rates{ending}"
    code, output = output_of(capsys, *results, "--output", file)
    assert code == 0 and str(file) in output.out
    assert file.read_bytes()[:4] == (b"\x89PNG" if ending == ".png" else b"%PDF")
    if ending == ".png":
        image = np.asarray(Image.open(file).convert("RGB")).astype(int)
        widths = [
            (np.abs(image - colour).max(axis=-1) == 0).sum(axis=1).max() for colour in ((27, 106, 134), (214, 142, 20))
        ]
        assert widths[0] / widths[1] == pytest.approx(7, rel=0.1)  # 87.5 % and 12.5 %, less the whiskers


def test_the_digest_of_rows_is_that_of_earlier_versions():
    """Of version 0.3.0; fields that were added since are left out where they are empty."""
    rows = [make_row(), make_row(seed=100_001, outcome="failure", stage=2)]
    assert rows_sha256(rows) == "449efa1e442b4f7b8506911ab49f8dc61d1bdc95118390252a29e1952644c0fa"


def test_the_digest_is_that_of_the_rows_without_times(results):
    entry, other = read_entries(results)
    lines_of_json = [
        json.dumps(json.loads(json.dumps(row, default=str)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for row in (
            {
                k: v
                for k, v in vars(row).items()
                if k not in (*MEASURED, *ROBOT_ONLY, "perturbed", "first_request", "behaviour")
            }
            for row in entry.rows
        )
    ]
    expected = sha256("".join(f"{line}\n" for line in lines_of_json).encode()).hexdigest()
    assert rows_sha256(entry.rows) == rows_sha256(entry.rows[::-1]) == expected
    again = [replace(row, wall_s=9.0, request_ms=(1.0, 2.0), infer_ms=(0.5,)) for row in entry.rows]
    assert rows_sha256(again) == expected
    traced = [replace(row, error=row.error and f"{row.error}\nTraceback of /home/me") for row in other.rows]
    assert traced != list(other.rows) and rows_sha256(traced) == rows_sha256(other.rows)
    assert rows_sha256([replace(entry.rows[0], note="slipped"), *entry.rows[1:]]) != expected
    assert rows_sha256([replace(entry.rows[0], steps=1), *entry.rows[1:]]) != expected != rows_sha256(other.rows)


def test_the_leaderboard_file(results, tmp_path, capsys):
    file = tmp_path / "board.json"
    assert output_of(capsys, *results, "--output", file)[0] == 0
    first, second = json.loads(file.read_text())["entries"]
    assert first["overall"] is None and first["episodes"] == 16 and list(first["tasks"]) == list(BOTH)
    assert first["suites"]["aloha"]["successes"] == 11 and len(first["suites"]["aloha"]["tasks_interval"]) == 2
    (run,) = first["runs"]
    assert run["seeds"]["insertion"] == list(range(FIRST_SEED, FIRST_SEED + 8)) and run["complete"]
    assert run["versions"]["mujoco"] == "4.0.0" and run["rows_sha256"] == first["rows_sha256"]
    assert second["tasks"]["insertion"]["errors"] == 1 and second["suites"] == {}


def test_an_unfinished_folder_is_said_and_marked(tmp_path, capsys):
    folder = write_outcomes(tmp_path / "act", "ss")
    config = BenchmarkConfig(policy="act", task="insertion", episodes=3)
    replace(BenchmarkInfo.read(folder), config=flags_to_json(config)).write(folder)
    code, output = output_of(capsys, folder, "--format", "json")
    assert code == 0 and "2 of 3 episodes" in output.err
    assert not json.loads(output.out)["entries"][0]["runs"][0]["complete"]


def write_libero(tmp_path, episodes=50, **flags):
    """Results of LIBERO's four suites by a protocol, half of the episodes of one suite a success."""
    folders = []
    for suite in ("libero_spatial", "libero_object", "libero_goal", "libero_10"):
        rate = 0.5 if suite == "libero_10" else 1.0
        rows = [
            make_row(task, FIRST_SEED + i, "success" if i < rate * episodes else "failure", policy="act")
            for task in SUITES[suite]
            for i in range(episodes)
        ]
        horizon = {"libero_spatial": 220, "libero_object": 280, "libero_goal": 300, "libero_10": 520}[suite]
        values = {"protocol": "openvla", "success": "libero", "settle_steps": 10, "init_states": "states", **flags}
        config = BenchmarkConfig(policy="act", suite=suite, episodes=episodes, horizon=horizon, **values)
        folder = write_results(tmp_path / suite, rows, videos=False, config=flags_to_json(config))
        folders.append(folder)
    return folders


def test_libero_has_the_mean_of_its_four_suites_only_by_the_protocol(tmp_path):
    folders = write_libero(tmp_path)
    (entry,) = read_entries(folders)
    assert libero_mean(entry) == 0.875 and leaderboard([entry])["entries"][0]["runs"][0]["protocol"] == "openvla"
    assert libero_mean(read_entries(folders[:3])[0]) is None
    rows = (folders[1] / "results.jsonl").read_bytes()
    (folders[1] / "results.jsonl").write_bytes(b"".join(rows.splitlines(keepends=True)[:-1]))
    assert libero_mean(read_entries(folders)[0]) is None  # one episode is missing
    (folders[1] / "results.jsonl").write_bytes(rows)
    info = BenchmarkInfo.read(folders[0])
    replace(info, config={**info.config, "init_states": None}).write(folders[0])
    (deviating,) = read_entries(folders)
    assert libero_mean(deviating) is None
    assert leaderboard([deviating])["entries"][0]["runs"][0]["protocol_deviations"]


def test_different_settings_are_said(results, capsys):
    info = BenchmarkInfo.read(results[1])
    specs = {task: replace(spec, horizon=40) for task, spec in info.env_specs.items()}
    assert setting_differences(read_entries(results)) == []
    replace(info, env_specs=specs).write(results[1])
    assert setting_differences(read_entries(results)) == ["horizon of insertion: 400 for act, 40 for scripted"]
    assert "not comparable" in output_of(capsys, *results)[1].err


def test_flags_that_do_not_fit_are_wrong_usage(results, capsys):
    for words in (
        [],
        ["--format", "png"],
        ["--format", "png", "--output", "x.pdf"],
        ["--output", "x.docx"],
        ["--format", "word"],
        ["--by", "seed"],
    ):
        assert output_of(capsys, *(results if words else []), *words)[0] == 2


def test_a_damaged_row_is_an_error(results, capsys):
    rewrite_row(results[0], 0, outcome="won")
    assert output_of(capsys, results[0])[0] == 1
