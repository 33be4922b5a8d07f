"""Responses of the gallery's server."""

import http.client
import json
from contextlib import closing

import pytest
from dataset_folder import write_dataset
from page_parts import PageParts
from results_folder import FIRST_SEED, make_row, typical_rows, write_results
from served_gallery import ask, make_video, served

from ambidex.benchmarks.gallery.page import data_block
from ambidex.benchmarks.gallery.server.http_server import RangeNotSatisfiableError, byte_range
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


def test_page_has_the_address_of_every_video(server):
    status, headers, body = ask(server, "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    page = PageParts(body.decode())
    assert [e["media"] for e in page.episodes] == [
        {"kind": "served", "address": f"/0/insertion/{FIRST_SEED + i}", "ready": True} for i in range(3)
    ]
    assert page.videos == {}


def test_get_sends_the_whole_video(server, content):
    status, headers, body = ask(server, VIDEO)
    assert (status, body) == (200, content)
    assert headers["Content-Type"] == "video/mp4" and headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 90), (100, None), (None, 7)])
def test_range_request_sends_a_part_of_the_video(server, content, first, last):
    requested = "-".join("" if end is None else str(end) for end in (first, last))
    part = content[-last:] if first is None else content[first : None if last is None else last + 1]
    status, headers, body = ask(server, VIDEO, Range=f"bytes={requested}")
    assert (status, body) == (206, part)
    start = len(content) - last if first is None else first
    assert headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"


def test_range_beyond_the_end_is_not_satisfiable(server, content):
    status, headers, _ = ask(server, VIDEO, Range=f"bytes={len(content)}-")
    assert status == 416 and headers["Content-Range"] == f"bytes */{len(content)}"


def test_head_sends_the_size_without_content(server, content):
    status, headers, body = ask(server, VIDEO, "HEAD")
    assert (status, body) == (200, b"") and int(headers["Content-Length"]) == len(content)


def test_poster_is_a_jpeg(server):
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
def test_only_episodes_have_addresses(server, path):
    for method in ("GET", "POST"):
        status, _, body = ask(server, path, method)
        assert status == 404 and b"secret" not in body and b"stray" not in body


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, results):
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
def test_requests_of_other_sites_are_refused(server, headers):
    for path, method in (("/", "GET"), (VIDEO, "GET"), (VIDEO, "POST")):
        assert ask(server, path, method, **headers)[0] == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("port", [None, 9000], ids=["its own port", "a tunnel's port"])
def test_requests_of_its_own_page_are_answered(server, name, port):
    host = f"{name}:{port or server.server_address[1]}"
    assert ask(server, "/", Host=host, Origin=f"http://{host}")[0] == 200


def test_a_running_benchmark_is_read_again(tmp_path):
    folder = write_results(tmp_path, typical_rows()[:1], videos=False)
    with served(folder) as server:
        assert len(PageParts(ask(server, "/")[2].decode()).episodes) == 1
        write_results(tmp_path, typical_rows()[:2])
        assert len(PageParts(ask(server, "/")[2].decode()).episodes) == 2
        assert ask(server, f"/0/insertion/{FIRST_SEED + 1}.mp4")[0] == 200


def test_a_folder_that_was_damaged_since_is_reported(tmp_path):
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
        assert ask(server, VIDEO.replace(".mp4", ".jpg"))[2].startswith(
            b"\xff\xd8"
        )  # a poster does not wait for the video
        states = make_video(server, VIDEO.removesuffix(".mp4"))
        assert states[-1]["ready"] and not states[0]["ready"]
        status, _, body = ask(server, VIDEO)
        assert status == 200 and body == (folder / f"videos/insertion/{FIRST_SEED}_failure.mp4").read_bytes()
        assert not (folder / f"videos/insertion/{FIRST_SEED + 1}_failure.mp4").exists()
        assert json.loads(ask(server, VIDEO, "POST")[2])["ready"]


def test_videos_in_another_style_have_a_folder_of_their_own(tmp_path):
    folder = write_dataset(tmp_path / "data")
    recorded = folder / "videos" / "episode_0_success.mp4"
    recorded.parent.mkdir()
    recorded.write_bytes(b"the recorder's own")
    with served(folder, style=VideoStyle(cameras=("left_wrist", "top"), image_size=(24, 32))) as server:
        assert make_video(server, "/0/insertion/0")[-1]["ready"]
        made = folder / "videos" / "left_wrist+top-24x32-standard" / "episode_0_success.mp4"
        assert ask(server, "/0/insertion/0.mp4")[2] == made.read_bytes()
    assert recorded.read_bytes() == b"the recorder's own"


def test_a_failed_video_reports_its_error_and_can_be_retried(tmp_path):
    folder = write_results(tmp_path, [make_row()], videos=False, states=True)
    states = folder / "states" / "insertion" / f"{FIRST_SEED}.npz"
    good = states.read_bytes()
    states.write_bytes(good[:100])
    with served(folder) as server:
        assert f"{FIRST_SEED}.npz cannot be read" in make_video(server, VIDEO.removesuffix(".mp4"))[-1]["error"]
        states.write_bytes(good)
        assert make_video(server, VIDEO.removesuffix(".mp4"))[-1]["ready"]


def test_without_states_no_video_can_be_made(tmp_path):
    with served(write_dataset(tmp_path / "data", keep_failures=False)) as server:
        status, _, body = ask(server, "/0/insertion/2.mp4", "POST")
        assert status == 500 and b"not stored" in body
        assert ask(server, "/0/insertion/2.jpg")[0] == 404


def test_closing_while_a_video_is_made_leaves_no_incomplete_file(tmp_path):
    folder = write_dataset(tmp_path / "data", steps=2000)
    with served(folder) as server:
        ask(server, "/0/insertion/0.mp4", "POST")
        while json.loads(ask(server, "/0/insertion/0.json")[2])["done"] < 2:
            pass
    assert not [path for path in (folder / "videos").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=990-5000", (990, 999)),
        ("bytes=-10", (990, 999)),
        ("bytes=-5000", (0, 999)),
        ("bytes=999-", (999, 999)),
        # RFC 9110: anything but a single range of bytes is ignored.
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
    ],
)
def test_byte_range(header, expected):
    assert byte_range(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_byte_range_beyond_the_end_raises(header):
    with pytest.raises(RangeNotSatisfiableError):
        byte_range(header, 1000)


def test_byte_range_of_an_empty_file():
    assert byte_range(None, 0) is None
    with pytest.raises(RangeNotSatisfiableError):
        byte_range("bytes=0-", 0)


@pytest.mark.parametrize(("length", "status"), [("abc", 400), ("-1", 400), ("65537", 413), ("1" * 5000, 413)])
def test_a_post_is_refused_by_its_length(server, length, status):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        connection.putrequest("POST", "/nowhere")
        connection.putheader("Content-Length", length)
        connection.endheaders(b"x" * 65537 if length == "65537" else None)
        answer = connection.getresponse()
        assert answer.status == status and answer.getheader("Connection") == "close" and answer.read()


def test_a_small_post_is_answered(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        for path, status in (("/nowhere", 404), (VIDEO, 200)):
            connection.request("POST", path, body=b"{}")
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (status, True)


def test_control_characters_are_text_on_the_page():
    block = data_block({"reason": "a\x1b[31m\u202eb\nc", "episodes": [{"seed": 3}]})
    assert json.loads(block) == {"reason": "a\\x1b[31m\\u202eb\nc", "episodes": [{"seed": 3}]}
