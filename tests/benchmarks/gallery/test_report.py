"""The content of report.html, parsed without a browser."""

import base64
import hashlib
import re

import pytest
from page_parts import PageParts
from results_folder import FIRST_SEED, STAGES, make_row, report_of, rewrite_row, typical_rows, write_results

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.gallery import report
from ambidex.benchmarks.gallery.report import make_report, write_report
from ambidex.benchmarks.gallery.sources import read_run, read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.videos.jobs import RenderedVideos, VideoStyle
from ambidex.errors import DatasetError
from ambidex.flags import parse_command
from ambidex.intervals import exact_interval, wilson_interval

EVIL = "</script><img src=x onerror=alert(1)><!--<script>"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "act")


@pytest.fixture(scope="module")
def parts(results):
    return PageParts(report_of(results).read_text())


def make_report_of(folder, path, **options):
    return make_report([read_run(folder)], path, **options)


def test_report_is_written_to_the_results_folder_and_reproducible(results):
    first = report_of(results)
    content = first.read_bytes()
    assert first == results / "report.html"
    assert report_of(results).read_bytes() == content


def test_videos_of_a_definition_file_are_made_beside_the_page(tmp_path, monkeypatch):
    task, jobs = str(tmp_path / "my.bddl"), []
    folder = write_results(tmp_path / "act", [make_row(task)], videos=False)
    states = ResultsFolder(folder).states_path(task, FIRST_SEED)
    states.parent.mkdir(parents=True)
    states.touch()
    made = RenderedVideos(videos=(), missing=())
    monkeypatch.setattr(report, "render_videos", lambda found, *_, **__: jobs.extend(found) or made)
    style = VideoStyle()
    runs = read_runs([folder], style)
    report.export_page(runs, tmp_path / "out" / "page.html", style, budget_mb=1.0, workers=0, quiet=True)
    assert jobs and all(job.video.is_relative_to(tmp_path / "out") for job in jobs)


def test_report_refers_to_no_other_file_or_site(results, parts):
    loading = [a for _, a in parts.elements for name in ("src", "href", "srcset", "data", "poster") if name in a]
    assert [a for a in loading if a.get("href") not in ("data:,", "#episodes")] == []
    assert "http" not in (results / "report.html").read_text().replace("http-equiv", "")
    assert not re.search(r"@import|url\(", parts.style)


def test_security_policy_allows_only_the_style_and_program_of_the_page(parts):
    def digest(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = dict(rule.strip().split(" ", 1) for rule in parts.policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == digest(parts.program)
    assert rules["style-src"] == digest(parts.style)
    assert rules["connect-src"] == "'self'"


def test_report_has_every_row_with_its_video(results, parts):
    rows = typical_rows()
    assert [(e["task"], e["seed"], e["outcome"], e["stage"]) for e in parts.episodes] == [
        (row.task, row.seed, row.outcome, row.stage) for row in rows
    ]
    for episode in parts.episodes:
        file = results / "videos" / episode["task"] / f"{episode['seed']}_{episode['outcome']}.mp4"
        assert parts.videos[episode["media"]["address"]] == file.read_bytes()
        assert base64.b64decode(episode["media"]["poster"].partition(",")[2]).startswith(b"\xff\xd8")
    assert len(parts.videos) == len(rows)


def test_rates_have_wilson_intervals_and_errors_are_counted(parts):
    (run,) = parts.model["runs"]
    assert [tally["task"] for tally in run["tasks"]] == list(STAGES)
    for tally in [*run["tasks"], run["total"]]:
        share = 2 if tally is run["total"] else 1
        assert (tally["n"], tally["successes"], tally["errors"]) == (8 * share, 3 * share, 1 * share)
        assert (tally["low"], tally["high"]) == wilson_interval(3 * share, 8 * share)
        assert tally["exact"] == (list(exact_interval(3 * share, 8 * share)) if 8 * share < 20 else None)


def test_funnel_counts_episodes_that_reached_each_stage(parts):
    for tally in parts.model["runs"][0]["tasks"]:
        assert tally["stages"] == list(STAGES[tally["task"]])
        assert tally["reached"] == [8, 7, 6, 5, 4]
        assert tally["reached"][-1] >= tally["successes"]


def test_rates_are_shown_without_javascript(parts):
    assert "insertion: 3/8 = 37.5 % (95 % interval 13.7 to 69.4, exact 8.52 to 75.51)" in " ".join(parts.texts)


@pytest.mark.parametrize("field", ["reason", "stage_name", "policy", "error"])
def test_text_of_results_cannot_become_markup(tmp_path, field):
    rows = [make_row(outcome="error", stage=1, **{field: EVIL})]
    page = PageParts(report_of(write_results(tmp_path, rows, policy=EVIL, videos=False)).read_text())
    assert [tag for tag, _ in page.elements].count("script") == 2  # the model and the program
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert page.model["runs"][0]["label"] == f"{EVIL} chunk:100"
    assert page.episodes[0]["reason"] in (EVIL, "RuntimeError: the gripper fell off")


def test_task_names_cannot_become_markup(tmp_path):
    evil = EVIL.replace("/", "")
    page = PageParts(report_of(write_results(tmp_path, [make_row(evil)], videos=False)).read_text())
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert page.episodes[0]["task"] == evil and evil in " ".join(page.texts)


def test_command_runs_the_episode_again(parts):
    for episode in parts.episodes:
        config = parse_command("run-benchmark", episode["command"], BenchmarkConfig)
        assert (config.task, config.seed, config.episodes, config.policy) == (
            episode["task"],
            episode["seed"],
            1,
            "act",
        )
        assert f"--seed {episode['seed']}" in episode["command"]
        assert str(config.checkpoint) == "runs/act"


def test_a_command_of_another_version_is_shown_unchanged(tmp_path):
    command = "run-benchmark --policy act --flavour vanilla"
    page = PageParts(report_of(write_results(tmp_path, videos=False, command=command)).read_text())
    assert {episode["command"] for episode in page.episodes} == {command}


def test_failures_come_first_within_the_budget_and_the_rest_is_reported(results, tmp_path):
    bad = [e for e in read_run(results).episodes if not e.success]
    budget_mb = sum(e.video.stat().st_size for e in bad) / 1e6
    report = make_report_of(results, tmp_path / "page.html", budget_mb=budget_mb)
    page = PageParts(report.path.read_text())
    embedded = {e["seed"]: e["outcome"] for e in page.episodes if e["media"]["kind"] == "embedded"}
    assert set(embedded.values()) == {"failure", "error"} and report.videos == len(bad) == 10
    assert sum(map(len, page.videos.values())) <= budget_mb * 1e6
    assert "6 of 16 videos are not in the page" in report.note and f"watch-rollouts {results}" in report.note
    assert page.model["notice"] == report.note and report.note in str(report)
    left_out = [e for e in page.episodes if e["media"]["kind"] == "absent"]
    assert all("Left out" in e["media"]["why"] and e["media"]["poster"] for e in left_out)


def test_note_is_empty_if_all_videos_are_embedded(results, tmp_path):
    report = make_report_of(results, tmp_path / "page.html")
    assert report.note == "" and report.videos == 16


def test_videos_that_were_not_made_are_reported(tmp_path):
    folder = write_results(tmp_path, [make_row(seed=FIRST_SEED), make_row(seed=FIRST_SEED + 1)], videos=False)
    states = folder / "states" / "insertion" / f"{FIRST_SEED}.npz"
    states.parent.mkdir(parents=True)
    states.touch()
    report = make_report_of(folder, tmp_path / "page.html")
    first, second = PageParts(report.path.read_text()).episodes
    assert "1 of 1 video is not in the page: 1 has not been made. See it with: watch-rollouts " in report.note
    assert "watch-rollouts makes it" in first["media"]["why"]
    assert f"{FIRST_SEED + 1}.npz is missing" in second["media"]["why"]
    assert report.missing.startswith("1 video could not be made. ") and report.missing in notice_of(report)


def test_an_episode_without_initial_state_is_not_reported_as_missing_states(tmp_path):
    rows = [make_row(outcome="error", stage=0, initial_state_sha256="")]
    report = make_report_of(write_results(tmp_path, rows, videos=False), tmp_path / "page.html")
    (episode,) = PageParts(report.path.read_text()).episodes
    assert report.missing == report.note == "" and "not stored" in episode["media"]["why"]


@pytest.mark.parametrize("which", ["none", "failures"])
def test_videos_that_were_not_requested_are_reported_as_such(tmp_path, which):
    folder = write_results(tmp_path, [make_row(seed=FIRST_SEED + i) for i in range(2)], videos=False, states=True)
    note = write_report(ResultsFolder(folder), which=which).note
    assert f"2 of 2 videos are not in the page: 2 were not requested (--video {which}). See them all with:" in note


def notice_of(report):
    return PageParts(report.path.read_text()).model["notice"]


def test_a_damaged_video_does_not_prevent_the_report(tmp_path):
    folder = write_results(tmp_path, typical_rows()[:2])
    (folder / "videos/insertion" / f"{FIRST_SEED}_failure.mp4").write_bytes(b"not a video")
    page = PageParts(report_of(folder).read_text())
    first, second = page.episodes
    assert first["media"]["kind"] == "absent" and f"{FIRST_SEED}_failure.mp4 cannot be read" in first["media"]["why"]
    assert second["media"]["kind"] == "embedded" and list(page.videos) == [second["media"]["address"]]


def test_results_without_episodes_have_a_report(tmp_path):
    (run,) = PageParts(report_of(write_results(tmp_path, [])).read_text()).model["runs"]
    assert run["tasks"][0]["n"] == 0 and (run["tasks"][0]["low"], run["tasks"][0]["high"]) == (0.0, 1.0)


def test_runs_with_the_same_label_are_distinguished_by_folder(results, tmp_path):
    other = write_results(tmp_path / "other", videos=False)
    make_report([read_run(results), read_run(other)], tmp_path / "page.html")
    labels = [run["label"] for run in PageParts((tmp_path / "page.html").read_text()).model["runs"]]
    assert labels == [f"act chunk:100 ({results})", f"act chunk:100 ({other})"]


def test_damaged_results_are_named(tmp_path):
    rewrite_row(write_results(tmp_path, videos=False), 3, outcome="perhaps")
    with pytest.raises(DatasetError, match=r"results\.jsonl"):
        report_of(tmp_path)
