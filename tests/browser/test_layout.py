"""Layout on a phone, colour schemes, contrast and accessible names."""

from itertools import pairwise

import pytest
from gallery_page import Keys
from results_folder import FIRST_SEED, make_row, report_of, typical_rows, write_results

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_run

PHONE = (375, 812)
MIN_CONTRAST = 4.5  # WCAG 2.2, level AA, text of ordinary size
MIN_TARGET = 24  # WCAG 2.2, level AA [px]

# The lowest contrast of any visible text with its background, and that text.
CONTRAST = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const mix = (front, back, a) => [0, 1, 2].map((i) => a * front[i] + (1 - a) * back[i]);
  const over = (front, back) => mix(front, back, front[3] ?? 1);
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(channels(getComputedStyle(e).backgroundColor));
    return layers.reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let worst = [21, ""];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, [aria-disabled=true]")) continue;
    const back = ground(element);
    const [x, y] = [over(channels(getComputedStyle(element).color), back), back].map(luminance);
    const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (contrast < worst[0]) worst = [contrast, walker.currentNode.data];
  }
  return worst;
})()"""

WIDER_THAN_WINDOW = """[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre')).map((e) => e.outerHTML.slice(0, 80))"""

SMALL_TARGETS = """[...document.querySelectorAll('button, select, input')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < arguments[0])
  .map((e) => e.outerHTML.slice(0, 80))"""


# Words that are broken over several lines. A task name consists of several text nodes, so it may wrap between them.
BROKEN_WORDS = """(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const words = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!words || /\\s/.test(words) || !element.checkVisibility() || element.closest("script, option")) continue;
    if (new Set([...range.getClientRects()].map((box) => box.top)).size > 1) broken.push(words);
  }
  return broken;
})()"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results") / "act", steps=20, fps=10, size=(120, 160))


@pytest.fixture(scope="module")
def report(results):
    return report_of(results).as_uri()


@pytest.fixture(scope="module")
def comparison(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    rows = typical_rows("scripted", lucky=3)
    other = write_results(folder / "scripted", rows, steps=20, fps=10, size=(120, 160))
    return make_report([read_run(results), read_run(other)], folder / "page.html").path.as_uri()


def nameless(page, selector):
    """Visible elements that have no name for a screen reader."""
    shown = [element for element in page.all(selector) if element.is_displayed()]
    assert shown
    return [element.get_attribute("outerHTML")[:100] for element in shown[:40] if not element.accessible_name.strip()]


@pytest.fixture(params=["report", "comparison"])
def address(request):
    return request.getfixturevalue(request.param)


def test_nothing_is_wider_than_a_phone(page, address):
    page.open(address, size=PHONE, phone=True)
    page.click("summary")
    assert page.js(WIDER_THAN_WINDOW) == [] and page.js("document.documentElement.scrollWidth") == PHONE[0]
    page.click(".tile")
    page.until(lambda: page.all("#screens video"))
    assert page.js(WIDER_THAN_WINDOW) == []


def test_touch_targets_are_large_enough(page, address):
    page.open(address, size=PHONE, phone=True)
    assert page.js(SMALL_TARGETS, MIN_TARGET) == []
    page.click(".tile")
    assert page.js(SMALL_TARGETS, MIN_TARGET) == []


def test_a_tap_opens_and_plays(page, report):
    page.open(report, size=PHONE, phone=True)
    page.js("document.querySelector('.tile').scrollIntoView({block: 'center'})")
    place = page.js("(({x, y}) => ({x: x + 60, y: y + 40}))(document.querySelector('.tile').getBoundingClientRect())")
    for kind, points in (("touchStart", [place]), ("touchEnd", [])):
        page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.playing()
    for part in ("#screens video", "#play", "#position"):  # all at once, without scrolling
        assert page.js("document.querySelector(arguments[0]).getBoundingClientRect().bottom", part) <= PHONE[1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_has_enough_contrast(page, address, dark):
    page.open(address, dark=dark)
    page.click("summary")
    contrast, text = page.js(CONTRAST)
    assert contrast >= MIN_CONTRAST, text
    page.click(".tile")
    page.until(lambda: page.all("#screens video"))
    contrast, text = page.js(CONTRAST)
    assert contrast >= MIN_CONTRAST, text


def test_page_follows_the_colour_scheme_of_the_system(page, report):
    grounds = []
    for dark in (False, True):
        page.open(report, dark=dark)
        grounds.append(page.js("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    assert min(grounds[0]) > 230 and max(grounds[1]) < 40


def test_controls_have_accessible_names(page, address):
    page.open(address)
    assert nameless(page, "section, table, form, select, input, a, .funnel button, .tile") == []
    page.click(".tile")
    page.until(lambda: page.all("#screens video"))
    assert nameless(page, "dialog, dialog button, dialog select, dialog input, dialog a, dialog video") == []


def test_headings_form_an_outline(page, report):
    page.open(report)
    levels = [int(heading.tag_name[1]) for heading in page.all("h1, h2, h3") if heading.is_displayed()]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_focus_is_visible_on_every_control(page, report):
    page.open(report)
    for _ in range(20):
        page.press(Keys.TAB)
        focused = "document.activeElement"
        assert page.js(f"{focused}.matches(':focus-visible') && getComputedStyle({focused}).outlineStyle") == "solid"


def test_tab_key_stays_in_the_open_dialog(page, report):
    page.open(report)
    page.click(".tile")
    for _ in range(12):
        page.press(Keys.TAB)
        assert page.js("document.activeElement === document.body || !!document.activeElement.closest('dialog')")


def test_reduced_motion_disables_hover_playback(page, report):
    page.open(report)
    reduced = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", reduced)
    page.hover(".tile .thumbnail")
    page.browser.execute_async_script("setTimeout(arguments[0], 600)")
    assert page.all(".tile video") == []


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    """A report of LIBERO tasks, whose names are long."""
    scene = "libero_10/LIVING_ROOM_SCENE5_put_the_white_mug_on_the_left_plate_and_put_the_yellow_and_white_mug_on_the"
    tasks = (f"{scene}_right_plate", "libero_goal/push_the_plate_to_the_front_of_the_stove")
    rows = [make_row(task, FIRST_SEED + i, outcome) for task in tasks for i, outcome in enumerate(("success", "error"))]
    return report_of(write_results(tmp_path_factory.mktemp("long") / "act", rows, videos=False)).as_uri()


@pytest.mark.parametrize("size", [(1300, 900), (700, 900), PHONE])
def test_long_task_names_wrap_between_words_only(page, long_names, size):
    page.open(long_names, size=size)
    names = page.js(
        "[...document.querySelectorAll('.rates th[scope=row], h1, h3, .tile .note')].map((e) => e.innerText)"
    )
    assert any("white_mug_on_the_right_plate" in name for name in names)  # copied text has no breaks
    page.click(".tile")
    assert page.js(BROKEN_WORDS) == [] and page.js(WIDER_THAN_WINDOW) == []
