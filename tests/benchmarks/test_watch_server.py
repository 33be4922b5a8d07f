"""What the server of the gallery answers."""

import json

import pytest
from dataset_folder import write_dataset
from page_parts import PageParts
from results_folder import FIRST_SEED, make_row, typical_rows, write_results
from served_gallery import ask, make_video, served

from ambidex.benchmarks.videos.jobs import VideoStyle

VIDEO = f"/0/insertion/{FIRST_SEED}.mp4"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = write_results(tmp_path_factory.mktemp("results") / "act", typical_rows()[:3])
    (folder.parent / "secret.mp4").write_bytes(b"secret")
    (folder / "videos" / "stray.mp4").write_bytes(b"stray")
    return folder


@pytest.fixture(scope="module")
def server(results):
    with served(results) as server:
        yield server


@pytest.fixture(scope="module")
def content(results):
    return (results / "videos" / "insertion" / f"{FIRST_SEED}_failure.mp4").read_bytes()


def test_the_page_names_the_address_of_every_video(server):
    status, headers, body = ask(server, "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    page = PageParts(body.decode())
    assert [e["media"] for e in page.episodes] == [
        {"kind": "served", "address": f"/0/insertion/{FIRST_SEED + i}", "ready": True} for i in range(3)
    ]
    assert page.videos == {}


def test_a_whole_video(server, content):
    status, headers, body = ask(server, VIDEO)
    assert (status, body) == (200, content)
    assert headers["Content-Type"] == "video/mp4" and headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 90), (100, None), (None, 7)])
def test_a_part_of_a_video(server, content, first, last):
    asked = "-".join("" if end is None else str(end) for end in (first, last))
    part = content[-last:] if first is None else content[first : None if last is None else last + 1]
    status, headers, body = ask(server, VIDEO, Range=f"bytes={asked}")
    assert (status, body) == (206, part)
    begin = len(content) - last if first is None else first
    assert headers["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(content)}"


def test_a_part_beyond_the_end(server, content):
    status, headers, _ = ask(server, VIDEO, Range=f"bytes={len(content)}-")
    assert status == 416 and headers["Content-Range"] == f"bytes */{len(content)}"


def test_head_tells_the_size_without_the_content(server, content):
    status, headers, body = ask(server, VIDEO, "HEAD")
    assert (status, body) == (200, b"") and int(headers["Content-Length"]) == len(content)


def test_the_still_is_a_jpeg(server):
    status, headers, body = ask(server, VIDEO.replace(".mp4", ".jpg"))
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and body.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.mp4",
        "/0/../../secret.mp4",
        "/0/insertion/../../../secret.mp4",
        "/%2e%2e/secret.mp4",
        "/0/insertion/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.mp4",
        "/0/..%5c..%5csecret.mp4",
        "//etc/passwd",
        "/etc/passwd",
        "//[broken",
        "/videos/stray.mp4",
        "/0/stray.mp4",
        "/0/insertion/stray.mp4",
        "/results.jsonl",
        "/0/results.jsonl",
        f"/1/insertion/{FIRST_SEED}.mp4",
        f"/0/insertion/{FIRST_SEED}",
        f"/0/insertion/{FIRST_SEED}.npz",
        f"/0/insertion/{FIRST_SEED}.mp4/",
        f"/0/insertion/{FIRST_SEED + 99}.mp4",
        "/0/insertion/\x00.mp4".replace("\x00", "%00"),
    ],
)
def test_only_episodes_have_an_address(server, path):
    for method in ("GET", "POST"):
        status, _, body = ask(server, path, method)
        assert status == 404 and b"secret" not in body and b"stray" not in body


def test_a_link_out_of_the_folder_leads_nowhere(tmp_path, results):
    folder = write_results(tmp_path / "act", [make_row(outcome="failure", stage=1)])
    video = folder / "videos" / "insertion" / f"{FIRST_SEED}_failure.mp4"
    video.unlink()
    video.symlink_to(results.parent / "secret.mp4")
    with served(folder) as server:
        assert ask(server, VIDEO)[0] == 404
        assert b"secret" not in ask(server, VIDEO.replace(".mp4", ".jpg"))[2]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": ""},
        {"Host": "[broken"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
    ],
)
def test_pages_of_other_sites_are_refused(server, headers):
    for path, method in (("/", "GET"), (VIDEO, "GET"), (VIDEO, "POST")):
        assert ask(server, path, method, **headers)[0] == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("port", [None, 9000], ids=["its own port", "a tunnel's port"])
def test_its_own_page_may_ask(server, name, port):
    host = f"{name}:{port or server.server_address[1]}"
    assert ask(server, "/", Host=host, Origin=f"http://{host}")[0] == 200


def test_a_run_that_goes_on_is_read_anew(tmp_path):
    folder = write_results(tmp_path, typical_rows()[:1], videos=False)
    with served(folder) as server:
        assert len(PageParts(ask(server, "/")[2].decode()).episodes) == 1
        write_results(tmp_path, typical_rows()[:2])
        assert len(PageParts(ask(server, "/")[2].decode()).episodes) == 2
        assert ask(server, f"/0/insertion/{FIRST_SEED + 1}.mp4")[0] == 200


def test_a_folder_that_is_damaged_meanwhile_is_said(tmp_path):
    folder = write_results(tmp_path, typical_rows()[:1], videos=False)
    with served(folder) as server:
        (folder / "results.jsonl").write_text("nonsense\n")
        status, _, body = ask(server, "/")
        assert status == 500 and b"results.jsonl" in body


def test_a_missing_video_is_made_from_the_states(tmp_path):
    rows = [make_row(outcome="failure", stage=1), make_row(seed=FIRST_SEED + 1, outcome="failure", stage=1)]
    folder = write_results(tmp_path, rows, videos=False, states=True)
    with served(folder) as server:
        page = PageParts(ask(server, "/")[2].decode())
        assert "ready" not in page.episodes[0]["media"]
        assert ask(server, VIDEO)[0] == 404
        assert ask(server, VIDEO.replace(".mp4", ".jpg"))[2].startswith(b"\xff\xd8")  # the still does not wait for it
        states = make_video(server, VIDEO.removesuffix(".mp4"))
        assert states[-1]["ready"] and not states[0]["ready"]
        status, _, body = ask(server, VIDEO)
        assert status == 200 and body == (folder / f"videos/insertion/{FIRST_SEED}_failure.mp4").read_bytes()
        assert not (folder / f"videos/insertion/{FIRST_SEED + 1}_failure.mp4").exists()
        assert json.loads(ask(server, VIDEO, "POST")[2])["ready"]


def test_videos_of_another_look_have_a_folder_of_their_own(tmp_path):
    folder = write_dataset(tmp_path / "data")
    recorded = folder / "videos" / "episode_0_success.mp4"
    recorded.parent.mkdir()
    recorded.write_bytes(b"the recorder's own")
    with served(folder, look=VideoStyle(cameras=("left_wrist", "top"), image_size=(24, 32))) as server:
        assert make_video(server, "/0/insertion/0")[-1]["ready"]
        made = folder / "videos" / "left_wrist+top-24x32-standard" / "episode_0_success.mp4"
        assert ask(server, "/0/insertion/0.mp4")[2] == made.read_bytes()
    assert recorded.read_bytes() == b"the recorder's own"


def test_what_cannot_be_made_says_why_and_can_be_tried_again(tmp_path):
    folder = write_results(tmp_path, [make_row()], videos=False, states=True)
    states = folder / "states" / "insertion" / f"{FIRST_SEED}.npz"
    good = states.read_bytes()
    states.write_bytes(good[:100])
    with served(folder) as server:
        assert f"{FIRST_SEED}.npz cannot be read" in make_video(server, VIDEO.removesuffix(".mp4"))[-1]["error"]
        states.write_bytes(good)
        assert make_video(server, VIDEO.removesuffix(".mp4"))[-1]["ready"]


def test_without_states_there_is_no_video_to_be_had(tmp_path):
    with served(write_dataset(tmp_path / "data", keep_failures=False)) as server:
        status, _, body = ask(server, "/0/insertion/2.mp4", "POST")
        assert status == 500 and b"not kept" in body
        assert ask(server, "/0/insertion/2.jpg")[0] == 404


def test_closing_in_the_middle_of_a_video_leaves_nothing_half_made(tmp_path):
    folder = write_dataset(tmp_path / "data", steps=2000)
    with served(folder) as server:
        ask(server, "/0/insertion/0.mp4", "POST")
        while json.loads(ask(server, "/0/insertion/0.json")[2])["done"] < 2:
            pass
    assert not [path for path in (folder / "videos").rglob("*") if path.is_file()]
