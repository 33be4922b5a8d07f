"""Two policies side by side."""

import pytest
from gallery_page import Keys
from results_folder import FIRST_SEED, make_row, typical_rows, write_results

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_run

S = FIRST_SEED
MAX_DIFFERENCE_S = 0.1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Videos of 40 s and 20 s, so that none ends during a test on a slow machine.

    The second run solves three more seeds, and has one seed that the first does not have.
    """
    folder = tmp_path_factory.mktemp("results")
    first = write_results(folder / "act", typical_rows()[:8], steps=80, fps=2)
    rows = [*typical_rows("scripted", lucky=3)[:8], make_row(seed=S + 8, policy="scripted")]
    second = write_results(folder / "scripted", rows, steps=40, fps=2)
    return make_report([read_run(first), read_run(second)], folder / "page.html").path.as_uri()


@pytest.fixture
def gallery(page, report):
    page.open(report)
    yield page
    assert page.messages() == []


def state(gallery):
    """Times, paused and ended of both videos, read at once."""
    videos = "[...document.querySelectorAll('#screens video')]"
    return gallery.js(f"['currentTime', 'paused', 'ended'].map((field) => {videos}.map((video) => video[field]))")


def together(gallery):
    """Whether both play and show the same time."""
    (first, second), paused, _ = state(gallery)
    return not any(paused) and abs(first - second) < MAX_DIFFERENCE_S


def put_at(gallery, seconds):
    """Move the slider to a time [s] of 40."""
    slider = "document.getElementById('position')"
    gallery.js(f"({slider}.value = arguments[0], {slider}.dispatchEvent(new Event('input')))", 1000 * seconds / 40)


def test_a_tile_shows_both_policies(gallery):
    assert gallery.seeds == list(range(S, S + 9))
    assert len(gallery.all(".tile")[0].find_elements("css selector", ".thumbnail")) == 2
    assert "not attempted by act chunk:100" in gallery.all(".tile")[8].text


def test_outcomes_of_pairs_are_counted(gallery):
    assert gallery.text(".common") == (
        "insertion, 8 seeds attempted by both: both succeed on 3, only act chunk:100 on 0, "
        "only scripted chunk:100 on 2, neither on 3."
    )


@pytest.mark.parametrize(
    ("option", "seeds"),
    [
        ("Both succeed", [1, 4, 6]),
        ("Only act chunk:100 succeeds", []),
        ("Only scripted chunk:100 succeeds", [0, 2]),
        ("Neither succeeds", [3, 5, 7]),
        ("Error in either", [3]),
        ("Attempted by one only", [8]),
    ],
)
def test_filter_by_the_outcome_of_a_pair(gallery, option, seeds):
    gallery.choose("outcome", option)
    assert gallery.seeds == [S + seed for seed in seeds]


def test_videos_play_in_sync(gallery):
    gallery.click(".tile")
    gallery.playing(2)
    gallery.until(lambda: together(gallery))
    gallery.press(Keys.SPACE)
    (first, second), paused, _ = gallery.until(lambda: state(gallery))
    assert all(paused) and first == pytest.approx(second, abs=0.002)


@pytest.mark.parametrize("offset", [-1.5, -0.2, 0.2, 1.5])
def test_a_video_that_is_off_catches_up(gallery, offset):
    gallery.click(".tile")
    gallery.playing(2)
    gallery.until(lambda: state(gallery)[0][0] > 1.6)
    second = "document.querySelectorAll('#screens video')[1]"
    shifted, before = gallery.js(f"[{second}.currentTime + arguments[0], {second}.currentTime += arguments[0]]", offset)
    assert shifted == pytest.approx(before, abs=0.01)
    gallery.until(lambda: together(gallery))


def test_both_videos_follow_the_slider(gallery):
    gallery.click(".tile")
    gallery.rewind()
    assert state(gallery)[0] == [0, 0]
    gallery.press(Keys.PAGE_UP)
    assert gallery.until(lambda: state(gallery)[0] == pytest.approx([4, 4], abs=0.02))


def test_the_shorter_video_waits_at_its_end(gallery):
    gallery.click(".tile")
    gallery.playing(2)
    put_at(gallery, 19)
    gallery.until(lambda: state(gallery)[1:] == [[False, True], [False, True]])
    assert gallery.text("#time").endswith("of 40.0 s")
    put_at(gallery, 39)
    gallery.until(lambda: state(gallery)[1:] == [[True, True], [True, True]])
    gallery.click("#play")
    gallery.until(lambda: together(gallery))


def test_seeking_back_restarts_the_video_that_had_ended(gallery):
    gallery.click(".tile")
    gallery.playing(2)
    gallery.press(Keys.SPACE)
    gallery.js("document.getElementById('position').focus()")
    gallery.press(Keys.HOME, *[Keys.PAGE_UP] * 6)
    gallery.until(lambda: state(gallery)[0] == pytest.approx([24, 20], abs=0.02))
    gallery.click("#play")
    gallery.until(lambda: state(gallery)[0][0] > 24.1)
    gallery.js("document.getElementById('position').focus()")
    gallery.press(Keys.HOME)
    gallery.until(lambda: together(gallery))


def test_speed_applies_to_both_videos(gallery):
    gallery.click(".tile")
    gallery.playing(2)
    gallery.press(Keys.SPACE)
    gallery.one("#speed").send_keys("2")
    assert gallery.videos("playbackRate") == [2, 2]
    gallery.one("#speed").send_keys("1")


def test_an_episode_of_one_policy_only(gallery):
    gallery.choose("outcome", "Attempted by one only")
    gallery.click(".tile")
    gallery.playing(1)
    assert "Not attempted." in gallery.text("#screens")
    assert f"--seed {S + 8}" in gallery.text("#panels")


def test_each_policy_has_its_panel(gallery):
    gallery.click(".tile")
    first, second = (panel.text for panel in gallery.all(".panel"))
    assert "act chunk:100" in first and "failure" in first and "--policy act" in first
    assert "scripted chunk:100" in second and "success" in second and "--policy scripted" in second
