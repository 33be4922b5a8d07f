"""The first arrow key on a page where nothing has the focus."""

import pytest
from gallery_page import Keys
from results_folder import FIRST_SEED, write_results

from ambidex.benchmarks.report import write_report

S = FIRST_SEED


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(write_results(tmp_path_factory.mktemp("results") / "act", steps=80, fps=2)).as_uri()


@pytest.fixture
def gallery(page, report):
    page.open(report)
    yield page
    assert page.complaints() == []


@pytest.mark.parametrize("key", [Keys.ARROW_RIGHT, Keys.ARROW_LEFT])
def test_arrow_keys_begin_at_the_first_episode_while_nothing_has_the_focus(gallery, key):
    assert gallery.js("document.activeElement === document.body")
    gallery.press(key)
    assert gallery.js("document.activeElement.dataset.key") == f"insertion {S}"
    gallery.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert gallery.text("#detail-title") == f"insertion, seed {S + 1}"


def test_arrow_keys_are_left_to_whatever_has_the_focus(gallery):
    for control in ("filter-seed", "filter-outcome"):
        gallery.js(f"document.getElementById('{control}').focus()")
        gallery.press(Keys.ARROW_RIGHT)
        assert gallery.js("document.activeElement.id") == control


def test_down_goes_on_scrolling_while_nothing_has_the_focus(gallery):
    gallery.press(Keys.ARROW_DOWN)
    assert gallery.until(lambda: gallery.js("scrollY > 0")) and gallery.js("document.activeElement === document.body")
