import json

import pytest
from bad_start import spoil
from benchmarking_fakes import FIRST, FakeAgent, assert_same_results, run_into

from ambidex.benchmarks.gallery.report import why_absent
from ambidex.benchmarks.gallery.sources import read_run
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.make import make_videos


class SpoiltAgent(FakeAgent):
    def __init__(self, env):
        super().__init__(env)
        spoil(env, FIRST + 3)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Five episodes, of which the fourth cannot begin."""
    directory = tmp_path_factory.mktemp("spoilt") / "results"
    assert run_into(directory, agent=SpoiltAgent).complete
    return directory


def test_an_episode_that_cannot_begin_is_a_row(results):
    rows = ResultsFolder(results).rows
    assert [row.outcome for row in rows] == ["failure", "success", "error", "error", "success"]
    bad = rows[3]
    assert bad.error == bad.reason == "NoFreeSpotError: there is no room for the bowl"
    assert (bad.steps, bad.stage_name, bad.initial_state_sha256, bad.has_states) == (0, "none", "", False)
    assert not ResultsFolder(results).states_path("insertion", bad.seed).exists()
    task = json.loads((results / "summary.json").read_text())["tasks"]["insertion"]
    assert (task["n"], task["errors"], task["rate"]) == (5, 2, 0.4)


def test_resume_goes_on_behind_it(results, tmp_path):
    run_into(tmp_path, agent=SpoiltAgent, episodes=2)
    assert run_into(tmp_path, agent=SpoiltAgent, resume=True).complete
    assert_same_results(tmp_path, results)


def test_there_is_nothing_to_film(results):
    made = make_videos(ResultsFolder(results), style=VideoStyle(image_size=(48, 64)), workers=0).videos
    assert sorted(path.name for path in made) == [f"{FIRST}_failure.mp4", f"{FIRST + 2}_error.mp4"]
    shown = {episode.seed: episode for episode in read_run(results).episodes}[FIRST + 3]
    assert not shown.can_be_watched and "no room" in shown.reason and why_absent(shown)
