"""The page of a robustness benchmark: pairs of which one episode succeeded only."""

import pytest
from page_parts import PageParts
from robustness_folder import SEED, write_suite
from served_gallery import ask, served

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.robustness.folder import Cell
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import flags_to_json

CELLS = {"camera1": "11110001", "camera2": "10000000", "dynamics1": "11111100", "dynamics2": "00111101"}
EXPERTS = {"dynamics1": "1" * 8, "dynamics2": "01111110"}
DIFFERENT = [
    ("camera:1", 4, "lost"),
    ("camera:1", 5, "lost"),
    ("camera:1", 7, "won"),
    *(("camera:2", seed, "lost") for seed in range(1, 6)),
    ("dynamics:2", 1, "lost"),  # the expert does not solve seeds 0 and 7
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_suite(tmp_path_factory.mktemp("results") / "act", "11111100", CELLS, experts=EXPERTS)


@pytest.fixture(scope="module")
def runs(folder):
    return read_runs([folder], DEFAULT_STYLE)


def test_pairs_with_different_outcomes_are_shown_with_their_clean_twins(runs):
    clean, perturbed = runs
    assert [
        (str(each.cell), each.seed - SEED, "won" if each.success else "lost") for each in perturbed.episodes
    ] == DIFFERENT
    assert [each.seed - SEED for each in clean.episodes] == [1, 2, 3, 4, 5, 7]
    assert {each.cell for each in clean.episodes} == {Cell()}


def test_every_cell_is_counted(runs):
    assert [(each.axis, each.level, each.pairs, each.lost, each.won) for each in runs[1].cells] == [
        ("camera", 1, 8, 2, 1),
        ("camera", 2, 8, 5, 0),
        ("dynamics", 1, 8, 0, 0),
        ("dynamics", 2, 6, 1, 0),
    ]


def test_an_episode_says_what_was_drawn(runs):
    facts = dict(runs[1].episodes[0].facts)
    assert facts["camera:1"] == "amount 4.25"
    assert "camera:1" not in dict(runs[0].episodes[0].facts)


def test_videos_are_rendered_with_the_perturbations_of_their_cell(tmp_path):
    folder = write_suite(tmp_path / "act", "1", {"camera1": "0", "camera2": "0"}, axes=("camera",), states=True)
    clean, perturbed = read_runs([folder], DEFAULT_STYLE)
    jobs = [run.video_job(each, DEFAULT_STYLE) for run in (clean, perturbed) for each in run.episodes]
    assert [job.spec.perturb for job in jobs] == [(), ("camera:1",), ("camera:2",)]
    assert [job.video.relative_to(folder).parts[0] for job in jobs] == ["clean", "camera1", "camera2"]


def test_every_episode_has_an_address_of_its_own(folder):
    with served(folder) as server:
        model = PageParts(ask(server, "/")[2].decode()).model
        found = [server.gallery.episode(f"/1/{cell}/insertion/{SEED + 4}")[1] for cell in ("camera1", "camera2")]
    assert [str(each.cell) for each in found] == ["camera:1", "camera:2"]
    assert [(each["axis"], each["level"]) for each in model["runs"][1]["episodes"]][2:4] == [
        ("camera", 1),
        ("camera", 2),
    ]
    assert model["cells"][0] == {"axis": "camera", "level": 1, "pairs": 8, "lost": 2, "won": 1}


def test_an_exported_page_has_the_videos_of_all_cells(tmp_path):
    cells = {"camera1": "10", "camera2": "00"}
    folder = write_suite(tmp_path / "act", "11", cells, axes=("camera",), videos=True, steps=5)
    make_report(read_runs([folder], DEFAULT_STYLE), tmp_path / "page.html")
    page = PageParts((tmp_path / "page.html").read_text())
    assert len(page.videos) == 5 and len(page.model["runs"][1]["episodes"]) == 3
    assert "2 lost and 0 won of 2 pairs" in " ".join(page.texts)  # without JavaScript


def test_an_episode_is_run_again_with_its_perturbation_into_a_folder_of_its_own(tmp_path):
    config = BenchmarkConfig(policy="act", task="insertion", perturb=("camera:1",))
    folder = write_suite(
        *(tmp_path / "act", "1", {"camera1": "0"}), axes=("camera",), config=flags_to_json(config, leave_out=set())
    )
    command = read_runs([folder], DEFAULT_STYLE)[1].episodes[0].command
    assert f"--perturb camera:1 --output-dir results/act-camera1-insertion-seed-{SEED}" in command


def test_a_benchmark_that_is_not_finished_is_shown_as_far_as_it_is(tmp_path):
    folder = write_suite(tmp_path / "act", "11", {"camera1": "10"}, axes=("camera",), levels=(1, 2))
    runs = read_runs([folder], DEFAULT_STYLE)
    assert [str(each.cell) for each in runs[1].episodes] == ["camera:1"]
    assert runs[1].warning.startswith("Not finished: camera:2.")
    (ResultsFolder(folder / "clean").path / "results.jsonl").unlink()
    with pytest.raises(DatasetError, match="no clean episodes yet"):
        read_runs([folder], DEFAULT_STYLE)


def test_it_is_not_compared_with_another_folder(folder):
    with pytest.raises(UsageError, match="not compared with another folder"):
        read_runs([folder, folder / "clean"], DEFAULT_STYLE)


def test_a_page_without_different_outcomes_has_the_counts(tmp_path):
    folder = write_suite(tmp_path / "act", "11", {"camera1": "11"}, axes=("camera",), levels=(1,))
    with served(folder) as server:
        model = PageParts(ask(server, "/")[2].decode()).model
    assert len(model["cells"]) == 1
    assert [len(run["episodes"]) for run in model["runs"]] == [0, 0]
