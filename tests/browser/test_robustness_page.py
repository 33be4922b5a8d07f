"""The pairs of a robustness benchmark."""

import pytest
from robustness_folder import SEED, write_suite

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_runs
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE

CELLS = {"camera1": "1100", "camera2": "0001"}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """With videos of 40 s."""
    folder = tmp_path_factory.mktemp("results")
    changes = {"videos": True, "steps": 80, "fps": 2}
    suite = write_suite(folder / "act", "1110", CELLS, axes=("camera",), **changes)
    return make_report(read_runs([suite], DEFAULT_STYLE), folder / "page.html").path.as_uri()


@pytest.fixture
def gallery(page, report):
    page.open(report)
    yield page
    assert page.messages() == []


def test_a_tile_shows_the_clean_and_the_perturbed_episode(gallery):
    assert gallery.seeds == [SEED + seed for seed in (2, 0, 1, 2, 3)]
    tiles = [tile.text for tile in gallery.all(".tile")]
    assert "camera:1" in tiles[0] and "lost" in tiles[0]
    assert "camera:2" in tiles[4] and "won" in tiles[4]
    outcomes = [line.text for line in gallery.all(".tile")[0].find_elements("css selector", ".outcomes .badge")]
    assert outcomes == ["success", "failure"]


def test_pairs_are_filtered_by_level_and_outcome(gallery):
    gallery.choose("level", "2")
    assert gallery.seeds == [SEED + seed for seed in (0, 1, 2, 3)]
    gallery.choose("outcome", "Won: only perturbed succeeds")
    assert gallery.seeds == [SEED + 3]
    gallery.choose("axis", "camera")
    assert gallery.seeds == [SEED + 3]


def test_a_count_of_the_table_shows_its_pairs(gallery):
    (cell,) = [button for button in gallery.all(".cells td button") if button.text == "1 lost"]
    cell.click()
    assert gallery.seeds == [SEED + 2]
    assert "axis=camera&level=1" in gallery.js("location.hash")
    assert not gallery.one("#funnel").is_displayed()


def test_both_videos_show_the_same_moment(gallery):
    gallery.click(".tile")
    gallery.playing(2)
    gallery.until(
        lambda: (
            abs(
                gallery.js(
                    "[...document.querySelectorAll('#screens video')].reduce((a, b) => a.currentTime - b.currentTime)"
                )
            )
            < 0.1
        )
    )
    assert gallery.text("#detail-title").endswith("camera:1 lost")
    clean, perturbed = (panel.text for panel in gallery.all(".panel"))
    assert "amount 2.25" in perturbed and "amount" not in clean
