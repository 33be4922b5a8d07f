"""The strip of codes under the video, which shows the code that each action was made from."""

import pytest
from gallery_page import Keys
from results_folder import FIRST_SEED, make_row, report_of, write_results

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_run

S = FIRST_SEED
CODES = ((17, 500), (3, 1000), (17, 250), (99, 250))  # at 50 steps/s, as long as the video
MANY = tuple((code, 10) for code in range(200))
PHONE, LEAST_TARGET = (375, 812), 24

NOW = "[...document.querySelectorAll('.legend button')].filter((e) => e.ariaCurrent === 'true').map((e) => e.innerText)"
PLACES = """[...document.querySelectorAll('.strip .run')].map((e) => {
  const [run, strip] = [e, e.parentElement].map((element) => element.getBoundingClientRect());
  return [(run.left - strip.left) / strip.width, run.width / strip.width]; })"""
COLOURS = "[...document.querySelectorAll('.strip .run')].map((e) => getComputedStyle(e).backgroundColor)"


def rows(policy="uniact"):
    return [
        make_row(seed=S, policy=policy, steps=2000, codes=CODES),
        make_row(seed=S + 1, policy=policy, steps=2000),
        make_row(seed=S + 2, policy=policy, steps=2000, codes=MANY),
    ]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "uniact", rows(), steps=80, fps=2)


@pytest.fixture(scope="module")
def report(results):
    return report_of(results).as_uri()


def opened(page, address, seed=S, **options):
    """The page with an episode open, its video paused at the start."""
    page.open(f"{address}#episode=insertion+{seed}", **options)
    page.rewind()
    return page


def test_runs_are_drawn_at_their_time(page, report):
    opened(page, report)
    assert [run.get_attribute("data-code") for run in page.all(".strip .run")] == ["17", "3", "17", "99"]
    expected = [place for pair in ((0, 0.25), (0.25, 0.5), (0.75, 0.125), (0.875, 0.125)) for place in pair]
    assert [place for pair in page.js(PLACES) for place in pair] == pytest.approx(expected, abs=0.005)
    assert page.messages() == []


def test_a_code_has_the_same_colour_everywhere(page, report):
    opened(page, report)
    first, second, third, fourth = page.js(COLOURS)
    assert first == third and len({first, second, fourth}) == 3
    swatch = "getComputedStyle(document.querySelector('.legend [data-code=\"3\"] .swatch')).backgroundColor"
    assert page.js(swatch) == second
    opened(page, report, S + 2)
    assert len(set(page.js(COLOURS))) == 200
    assert page.js(COLOURS)[17] == first


def test_tooltip_of_a_run_shows_code_and_steps(page, report):
    opened(page, report)
    titles = [run.get_attribute("title") for run in page.all(".strip .run")]
    assert titles[1] == "code 3, steps 500 to 1499, 10.00 to 30.00 s"


def test_legend_shows_shares_and_the_current_code(page, report):
    opened(page, report)
    assert [button.text for button in page.all(".legend button")] == [
        "code 3 50.0 %",
        "code 17 37.5 %",
        "code 99 12.5 %",
    ]
    assert page.js(NOW) == ["code 17 37.5 %"] and page.text(".codes output").startswith("code 17, steps 0 to 499")
    page.press(Keys.END)
    assert page.until(lambda: page.js(NOW) == ["code 99 12.5 %"])
    opened(page, report, S + 2)
    assert len(page.all(".legend button")) == 16 and page.all(".legend li")[-1].text == "and 184 others"


def test_a_click_on_the_strip_seeks(page, report):
    opened(page, report)
    page.click(".strip .run:nth-child(2)")  # in its middle
    assert page.until(lambda: page.videos("currentTime")[0] == pytest.approx(20, abs=0.2))
    assert page.js(NOW) == ["code 3 50.0 %"]
    left = page.js("document.querySelector('.strip .now').style.left")
    assert float(left.rstrip("%")) == pytest.approx(50, abs=0.5)


def test_a_code_of_the_legend_seeks_to_its_next_use(page, report):
    opened(page, report)
    for seconds in (30, 0, 30):  # the two places where it is used
        page.js("document.querySelector('.legend [data-code=\"17\"]').focus()")
        page.press(Keys.ENTER)
        assert page.until(lambda at=seconds: page.videos("currentTime")[0] == pytest.approx(at, abs=0.05))
        assert page.js(NOW) == ["code 17 37.5 %"]


def test_after_a_click_on_the_legend_space_plays(page, report):
    opened(page, report)
    page.click('.legend [data-code="99"]')
    page.until(lambda: page.videos("currentTime")[0] == pytest.approx(35, abs=0.05))
    page.press(Keys.SPACE)
    page.playing()


def test_hovering_over_the_legend_highlights_the_runs_of_a_code(page, report):
    opened(page, report)
    page.hover('.legend [data-code="17"]')
    others = "[...document.querySelectorAll('.strip .run.other')].map((e) => e.dataset.code)"
    assert page.js(others) == ["3", "99"]
    page.hover("#detail-title")
    assert page.until(lambda: page.js(others) == [])


def test_an_episode_without_codes_has_no_strip(page, report):
    opened(page, report)
    page.press(Keys.TAB)  # away from the slider
    page.click("#next")
    page.playing()
    assert page.text("#detail-title") == f"insertion, seed {S + 1}"
    assert not page.one("#codes").is_displayed() and page.all(".strip") == []


def test_each_of_two_policies_has_a_strip(page, results, tmp_path):
    act = write_results(tmp_path / "act", [make_row(seed=S + i, steps=2000) for i in range(3)], steps=80, fps=2)
    other = write_results(tmp_path / "other", rows(), steps=80, fps=2)
    both = make_report([read_run(results), read_run(other)], tmp_path / "both.html").path.as_uri()
    one = make_report([read_run(results), read_run(act)], tmp_path / "one.html").path.as_uri()
    opened(page, both)
    assert len(page.all(".strip")) == 2
    page.click(".codes + .codes .strip .run:nth-child(2)")
    assert page.until(lambda: page.videos("currentTime") == pytest.approx([20, 20], abs=0.2))
    opened(page, one)
    assert len(page.all(".strip")) == 1
    assert page.one(".strip").rect["x"] < page.one("#screens video").rect["width"]  # under its own video


def test_codes_fit_on_a_phone(page, report):
    opened(page, report, S + 2, size=PHONE, phone=True)
    assert page.js("document.querySelector('#codes').scrollWidth") <= PHONE[0]
    assert page.one(".codes output").rect["x"] == page.one(".codes h3").rect["x"]  # on a line of its own below
    heights = [button.rect["height"] for button in page.all(".legend button")]
    assert min(heights) >= LEAST_TARGET
    assert "200 codes, 199 changes" in page.one(".strip").accessible_name
