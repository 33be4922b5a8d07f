"""The gallery as watch-rollouts serves it."""

import subprocess
import sys

import pytest
from dataset_folder import write_dataset
from gallery_page import Keys
from results_folder import FIRST_SEED, make_row, typical_rows, write_results
from served_gallery import served

S = FIRST_SEED

# Records the text of the screens at every change.
WATCH_SCREENS = """(() => {
  const screens = document.getElementById('screens');
  const note = () => window.seen.push(`${screens.querySelectorAll('progress').length} progress: ${screens.innerText}`);
  window.seen = [];
  new MutationObserver(note).observe(screens, { childList: true, subtree: true, characterData: true });
})()"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = write_results(tmp_path_factory.mktemp("results") / "act", typical_rows()[:4], steps=80, fps=2)
    with served(folder) as server:
        yield server


def test_a_served_video_plays_and_seeks(page, server):
    page.open(server.address)
    page.click(".tile")
    page.playing()
    page.press(Keys.SPACE)
    assert page.js("document.querySelector('#screens video').seekable.end(0)") == pytest.approx(40.0)
    page.js("document.getElementById('position').focus()")
    page.press(Keys.END, Keys.PAGE_DOWN)
    assert page.until(lambda: page.videos("currentTime")[0] == pytest.approx(36, abs=0.05))
    assert page.messages() == []


def test_tiles_show_posters(page, server):
    page.open(server.address)
    page.js("document.getElementById('episodes').scrollIntoView()")
    page.until(lambda: page.js("[...document.querySelectorAll('.tile img')].every((image) => image.naturalWidth > 0)"))
    assert len(page.all(".tile img")) == 4


def test_hovering_over_a_tile_plays_it(page, server):
    page.open(server.address)
    page.hover(".tile .thumbnail")
    page.until(lambda: page.js("(document.querySelector('.tile video')?.currentTime ?? 0) > 0"))


def test_a_missing_video_is_made_with_a_progress_bar(page, tmp_path):
    with served(write_dataset(tmp_path / "data", steps=60)) as server:
        page.open(server.address)
        page.js(WATCH_SCREENS)
        page.click(".tile")
        page.until(lambda: (page.videos("readyState") or [0])[0] > 1)
        assert any("1 progress: The video is being made" in text for text in page.js("window.seen"))
        assert page.js("window.seen").pop() == "0 progress: "
        assert "Download the video" in page.text("#panels")
        page.press(Keys.ESCAPE)
        assert page.messages() == []


def test_an_episode_without_states_says_so(page, tmp_path):
    with served(write_dataset(tmp_path / "data")) as server:
        page.open(server.address)
        page.choose("outcome", "Error")
        page.click(".tile")
        assert "not stored" in page.text("#screens")


def test_damaged_states_are_named(page, tmp_path):
    folder = write_results(tmp_path, [make_row()], videos=False, states=True)
    (folder / "states" / "insertion" / f"{S}.npz").write_bytes(b"nothing")
    with served(folder) as server:
        page.open(server.address)
        page.click(".tile")
        page.until(lambda: f"{S}.npz cannot be read" in page.text("#screens"))


def test_a_stopped_server_is_reported(page, tmp_path):
    folder = write_results(tmp_path, [make_row()], videos=False, states=True)
    command = [
        sys.executable,
        "-c",
        "from ambidex.benchmarks.watch_rollouts import main; main()",
        folder,
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        page.open(watching.stdout.readline().strip())
        page.until(lambda: page.all(".tile"))
        watching.kill()
    page.click(".tile")
    page.until(lambda: "Is watch-rollouts still running?" in page.text("#screens"))


def test_stepping_past_an_episode_does_not_make_its_video(page, tmp_path):
    folder = write_dataset(tmp_path / "data")
    with served(folder) as server:
        page.open(server.address)
        page.choose("outcome", "Success")
        page.js("document.querySelector('.tile').click(), document.getElementById('next').click()")  # without a pause
        page.until(lambda: (page.videos("readyState") or [0])[0] > 1)
    assert [path.name for path in folder.rglob("*.mp4")] == ["episode_1_success.mp4"]
