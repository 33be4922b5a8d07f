"""report.html opened as a file, used with mouse and keyboard."""

import pytest
from gallery_page import Keys
from results_folder import FIRST_SEED, make_row, report_of, typical_rows, write_results

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import read_run

S = FIRST_SEED
TASKS = ("insertion", "transfer_cube")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Videos of 40 s, so that none ends during a test on a slow machine."""
    return report_of(write_results(tmp_path_factory.mktemp("results") / "act", steps=80, fps=2)).as_uri()


@pytest.fixture
def gallery(page, report):
    page.open(report)
    yield page
    assert page.messages() == []


def test_page_loads_nothing_from_outside(gallery):
    gallery.click(".tile")
    gallery.playing()
    loaded = gallery.js("performance.getEntriesByType('resource').map((entry) => entry.name.split(':')[0])")
    assert set(loaded) <= {"data", "blob"}


def test_rates_are_shown_with_their_intervals(gallery):
    rows = [" ".join(row.text.split()) for row in gallery.all(".rates tbody tr")]
    assert rows[0] == "insertion 3 of 8 37.5 % (13.7 to 69.4, exact 8.52 to 75.51) 1"
    assert rows[2] == "all tasks 6 of 16 37.5 % (18.5 to 61.4, exact 15.20 to 64.57) 2"
    percents = [text for text in gallery.text("main").split("\n") if "%" in text and "interval" not in text]
    assert percents and all(" to " in text for text in percents)


def test_interval_is_drawn_to_scale(gallery):
    track, interval, point = (gallery.one(f".range{part}").rect for part in ("", " .interval", " .point"))
    left = (interval["x"] - track["x"]) / track["width"]
    right = (interval["x"] + interval["width"] - track["x"]) / track["width"]
    middle = (point["x"] + point["width"] / 2 - track["x"]) / track["width"]
    assert (left, right, middle) == pytest.approx((0.137, 0.694, 0.375), abs=0.01)


def test_funnel_is_drawn_to_scale(gallery):
    tracks, fills = gallery.all(".funnel .track")[:5], gallery.all(".funnel .fill")[:5]
    shares = [fill.rect["width"] / track.rect["width"] for fill, track in zip(fills, tracks, strict=True)]
    assert shares == pytest.approx([7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8], abs=0.01)
    assert [amount.text for amount in gallery.all(".funnel .amount")[:5]] == [f"{n} of 8" for n in (7, 6, 5, 4, 3)]


def test_a_stage_of_the_funnel_filters_episodes_that_got_no_further(gallery):
    gallery.click(".funnel:nth-child(2) li:nth-child(2) button")
    assert gallery.shown == [("transfer_cube", S)]
    assert gallery.text("#count") == "1 of 16 episodes"


def test_errors_are_listed_and_open_their_episode(gallery):
    assert [item.text for item in gallery.all("#error-list li")] == [
        f"{task}, seed {S + 3}\nRuntimeError: the gripper fell off" for task in TASKS
    ]
    gallery.click("#error-list li:nth-child(2) button")
    assert gallery.text("#detail-title") == f"transfer_cube, seed {S + 3}"


def test_filters(gallery):
    assert len(gallery.shown) == 16
    gallery.choose("task", "transfer_cube")
    assert {task for task, _ in gallery.shown} == {"transfer_cube"} and len(gallery.shown) == 8
    gallery.choose("outcome", "Failure")
    assert gallery.seeds == [S, S + 2, S + 5, S + 7]
    gallery.choose("stage", "reached by left")
    assert gallery.seeds == [S + 5] and gallery.text("#count") == "1 of 16 episodes"
    gallery.click("#filters button[type=reset]")
    assert len(gallery.shown) == 16
    gallery.choose("outcome", "Error")
    assert gallery.shown == [(task, S + 3) for task in TASKS]


def test_stage_options_are_those_of_the_task(gallery):
    gallery.choose("stage", "contacted")
    assert gallery.shown == [("insertion", S + 5)]
    gallery.choose("task", "transfer_cube")  # which has no such stage
    assert len(gallery.shown) == 8
    assert "contacted" not in gallery.text("#filter-stage")


def test_filter_by_seeds_and_ranges_of_seeds(gallery):
    gallery.type_seed(f"{S + 1}, {S + 5}-{S + 6}")
    assert gallery.seeds == [S + 1, S + 5, S + 6] * 2
    gallery.type_seed("seven")
    assert gallery.seeds == [] and "ranges" in gallery.text("#seed-problem")
    assert gallery.one("#filter-seed").get_attribute("aria-invalid") == "true"


def test_sort_failures_by_the_stage_reached(gallery):
    gallery.choose("task", "insertion")
    gallery.choose("sort", "Failures first, lowest stage first")
    assert gallery.seeds == [S + 2, S + 3, S, S + 5, S + 7, S + 1, S + 4, S + 6]
    gallery.choose("sort", "Failures first, highest stage first")
    assert gallery.seeds == [S + 7, S + 5, S, S + 3, S + 2, S + 1, S + 4, S + 6]


def test_hovering_over_a_tile_plays_it(gallery):
    gallery.hover(".tile .thumbnail")
    gallery.until(lambda: gallery.js("(document.querySelector('.tile video')?.currentTime ?? 0) > 0"))
    gallery.hover("#episodes-title")
    assert gallery.all(".tile video") == []


def test_videos_are_decoded_only_when_opened(gallery):
    holders = "document.querySelectorAll('script[type=\"text/plain\"]').length"
    assert gallery.js(holders) == 16
    gallery.click(".tile")
    gallery.playing()
    assert gallery.js(holders) == 15


def test_dialog_shows_outcome_checks_stages_and_command(gallery):
    gallery.click(".tile")
    gallery.playing()
    shown = gallery.text("#detail")
    for text in (
        f"insertion, seed {S}", "1 of 16", "failure", "at the end not: peg end at the pin", "axes within 10 degrees",
        "both off the table", "steps\n400", f"--seed {S}", "run-benchmark", "Download the video",
    ):  # fmt: skip
        assert text in shown, text
    stages = [stage.get_attribute("textContent") for stage in gallery.all(".stages li")]
    assert stages == ["touched reached", "lifted reached", "contacted not reached", "inserted not reached"]
    assert len(gallery.all(".checks .fails")) == 1 and len(gallery.all(".checks .holds")) == 2


def test_page_can_be_used_by_keyboard_alone(gallery):
    gallery.js("document.querySelector('.tile').focus()")
    gallery.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert gallery.js("document.activeElement.dataset.key") == f"insertion {S + 1}"
    gallery.press(Keys.ENTER)
    gallery.playing()
    gallery.press(Keys.ARROW_RIGHT)
    assert gallery.text("#detail-title") == f"insertion, seed {S + 2}"
    gallery.playing()
    gallery.press(Keys.SPACE)
    assert gallery.until(lambda: all(gallery.videos("paused")))
    gallery.press(Keys.SPACE)
    gallery.playing()
    gallery.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert gallery.text("#detail-title") == f"insertion, seed {S}"  # the first episode has no previous one
    gallery.press(Keys.ESCAPE)
    assert not gallery.is_open  # the focus moves to the tile a little later
    assert gallery.until(lambda: gallery.js("document.activeElement.dataset.key") == f"insertion {S}")


def test_stage_none_is_shown_as_text(gallery):
    gallery.choose("stage", "no stage reached")
    assert gallery.seeds == [S + 2, S + 2]
    assert "no stage reached" in gallery.text(".tile") and "none" not in gallery.text("main")


def test_after_stepping_fast_the_last_episode_plays(gallery):
    gallery.click(".tile")
    gallery.press(*[Keys.ARROW_RIGHT] * 5, Keys.SPACE, Keys.SPACE)
    gallery.playing()
    assert gallery.text("#detail-title") == f"insertion, seed {S + 5}"
    assert gallery.one("#play").get_attribute("aria-label") == "Pause"
    gallery.press(Keys.SPACE)
    gallery.until(lambda: all(gallery.videos("paused")))
    assert gallery.one("#play").get_attribute("aria-label") == "Play"


def test_up_and_down_move_by_rows(gallery):
    columns = gallery.js("getComputedStyle(document.getElementById('tiles')).gridTemplateColumns.split(' ').length")
    gallery.js("document.querySelector('.tile').focus()")
    gallery.press(Keys.ARROW_DOWN)
    assert gallery.js("document.activeElement.dataset.key") == f"insertion {S + columns}"
    gallery.press(Keys.ARROW_UP)
    assert gallery.js("document.activeElement.dataset.key") == f"insertion {S}"


def test_next_and_previous_follow_the_order_on_the_page(gallery):
    gallery.choose("task", "insertion")
    gallery.choose("sort", "Failures first, lowest stage first")
    gallery.click(".tile")
    gallery.press(Keys.ARROW_RIGHT)
    assert gallery.text("#detail-title") == f"insertion, seed {S + 3}" and gallery.text("#detail-place") == "2 of 8"
    gallery.click("#next")
    assert gallery.text("#detail-title") == f"insertion, seed {S}"
    gallery.click("#close")
    assert not gallery.is_open


def test_position_and_speed(gallery):
    gallery.click(".tile")
    gallery.playing()
    gallery.press(Keys.SPACE)
    gallery.js("document.getElementById('position').focus()")
    gallery.press(Keys.END)
    assert gallery.until(lambda: gallery.videos("currentTime")[0] == pytest.approx(gallery.videos("duration")[0]))
    gallery.press(Keys.HOME)
    assert gallery.until(lambda: gallery.videos("currentTime") == [0])
    assert gallery.text("#time") == "0.0 of 40.0 s"
    gallery.one("#speed").send_keys("0.25")
    assert gallery.videos("playbackRate") == [0.25]
    gallery.click("#next")
    gallery.playing()
    assert gallery.videos("playbackRate") == [0.25]  # stays for the next episode


def test_slider_is_at_its_ends_only_where_the_video_is(gallery):
    gallery.click(".tile")
    gallery.playing()
    gallery.press(Keys.SPACE)
    gallery.js("document.getElementById('position').focus()")
    for time, key, end in ((0.003, Keys.HOME, 0), (39.997, Keys.END, 40)):
        gallery.js("document.querySelector('#screens video').currentTime = arguments[0]", time)
        gallery.until(lambda at=time: gallery.videos("currentTime") == [pytest.approx(at)])
        gallery.press(key)
        gallery.until(lambda at=end: gallery.videos("currentTime") == [pytest.approx(at, abs=0.001)])


def test_a_video_that_ended_plays_again_from_its_start(gallery):
    gallery.click(".tile")
    gallery.playing()
    gallery.js("document.querySelector('#screens video').currentTime = 39.8")
    gallery.until(lambda: gallery.videos("ended") == [True])
    assert gallery.one("#play").get_attribute("aria-label") == "Play"
    gallery.click("#play")
    gallery.playing()
    assert gallery.videos("ended") == [False]


def test_address_stores_filters_and_the_open_episode(page, report):
    page.open(report)
    page.choose("outcome", "Failure")
    page.choose("sort", "Failures first, highest stage first")
    page.click(".tile:not([data-key^=insertion])")
    address = page.browser.current_url
    title, shown = page.text("#detail-title"), page.shown
    page.open(address)
    assert page.shown == shown and page.is_open and page.text("#detail-title") == title
    page.press(Keys.ESCAPE)
    page.click("#filters button[type=reset]")
    assert page.browser.current_url == report


def test_copying_the_command(gallery):
    gallery.click(".tile")
    gallery.click(".command button")
    gallery.until(lambda: gallery.text(".command button") in ("Copied", "Selected"))
    assert gallery.js("getSelection().toString()") == gallery.text(".command code")


def test_text_of_results_is_not_interpreted_as_markup(page, tmp_path):
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    rows = [make_row(outcome="error", stage=1, reason=evil, error=evil, checks={evil: False})]
    page.open(report_of(write_results(tmp_path, rows, policy=evil)).as_uri())
    page.click(".tile")
    assert evil in page.text("#panels") and evil in page.text("#error-list") and evil in page.text("h1")
    assert page.browser.title != "owned" and page.messages() == []
    assert page.all("main img[src=x]") == []


def test_videos_left_out_are_reported(page, tmp_path):
    folder = write_results(tmp_path / "act", typical_rows()[:4])
    report = make_report([read_run(folder)], tmp_path / "page.html", budget_mb=0)
    page.open(report.path.as_uri())
    assert page.text("#notice") == report.note and "watch-rollouts" in report.note
    page.click(".tile")
    assert "Left out" in page.text("#screens") and page.all("#screens video") == []
    assert not page.one("#player").is_displayed()


def test_many_episodes_are_shown_in_batches(page, tmp_path):
    rows = [make_row(seed=S + i) for i in range(500)]
    page.open(report_of(write_results(tmp_path, rows, videos=False)).as_uri())
    assert len(page.all(".tile")) == 240 and page.text("#count") == "500 episodes"
    page.click("#more")
    assert len(page.all(".tile")) == 480 and page.text("#more") == "Show 20 more"
    assert page.js("document.activeElement.dataset.key") == f"insertion {S + 240}"


@pytest.mark.parametrize("key", [Keys.ARROW_RIGHT, Keys.ARROW_LEFT])
def test_arrow_keys_focus_the_first_episode_if_nothing_has_the_focus(gallery, key):
    assert gallery.js("document.activeElement === document.body")
    gallery.press(key)
    assert gallery.js("document.activeElement.dataset.key") == f"insertion {S}"
    gallery.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert gallery.text("#detail-title") == f"insertion, seed {S + 1}"


def test_arrow_keys_do_not_leave_a_focused_control(gallery):
    for control in ("filter-seed", "filter-outcome"):
        gallery.js(f"document.getElementById('{control}').focus()")
        gallery.press(Keys.ARROW_RIGHT)
        assert gallery.js("document.activeElement.id") == control


def test_arrow_down_scrolls_if_nothing_has_the_focus(gallery):
    gallery.press(Keys.ARROW_DOWN)
    assert gallery.until(lambda: gallery.js("scrollY > 0")) and gallery.js("document.activeElement === document.body")
