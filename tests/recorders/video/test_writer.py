"""Videos: speed, colours, tiles and captions."""

import av
import numpy as np
import pytest

from ambidex.errors import DatasetError
from ambidex.recorders.video.caption import BACKGROUND, OUTCOMES, Caption, CaptionBar, shortened, stage_label
from ambidex.recorders.video.writer import Tiling, VideoWriter

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def caption(t=0, **changes):
    values = {"task": "insertion", "seed": 12, "time_s": t / 50, "stage": "lifted", "outcome": ""}
    return Caption(**{**values, **changes})


def plain(colour, height=48, width=64):
    return np.full((height, width, 3), colour, np.uint8)


def write(path, frames, steps=50, fps=50.0, **options):
    with VideoWriter(path, fps, **options) as video:
        for t in range(steps):
            video.add(frames, caption(t))


def decoded(path):
    with av.open(path) as container:
        stream = container.streams.video[0]
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return stream, images


@pytest.mark.parametrize("fps", [50.0, 20.0, 50 / 3])
def test_true_speed(tmp_path, fps):
    path = tmp_path / "videos" / "episode_0.mp4"
    write(path, {"top": plain(RED)}, fps=fps)
    stream, images = decoded(path)
    assert len(images) == 50
    assert float(stream.average_rate) == pytest.approx(fps, rel=1e-3)
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_the_index_comes_first_so_that_it_plays_while_it_loads(tmp_path):
    write(tmp_path / "a.mp4", {"top": plain(RED)}, steps=2)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_three_cameras_are_side_by_side_in_their_colours(tmp_path):
    write(tmp_path / "a.mp4", {"top": plain(RED), "left": plain(GREEN), "right": plain(BLUE)}, steps=3)
    image = decoded(tmp_path / "a.mp4")[1][1]
    assert image.shape[1] == 3 * 320  # each pixel five times
    for i, colour in enumerate((RED, GREEN, BLUE)):
        centre = image[120, 320 * i + 160].astype(int)
        assert np.abs(centre - colour).max() <= 12


def test_the_caption_is_below_the_image(tmp_path):
    write(tmp_path / "a.mp4", {"top": plain(GREEN, 240, 320)}, steps=3)
    image = decoded(tmp_path / "a.mp4")[1][1]
    assert image.shape[0] > 240
    assert np.abs(image[:236].astype(int) - GREEN).max() <= 12
    assert image[240:].max() > 180 and np.median(image[240:]) < 50


def test_odd_sizes_become_even(tmp_path):
    write(tmp_path / "a.mp4", {"top": plain(RED, 233, 261)}, steps=2)
    image = decoded(tmp_path / "a.mp4")[1][0]
    assert image.shape[0] % 2 == 0 and image.shape[1] == 262


def test_the_same_frames_give_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    steps = [rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(20)]
    for name in ("a.mp4", "b.mp4"):
        with VideoWriter(tmp_path / name, 50.0) as video:
            for t, frame in enumerate(steps):
                video.add({"top": frame}, caption(t))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_after_an_error_there_is_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), VideoWriter(tmp_path / "a.mp4", 50.0) as video:
        video.add({"top": plain(RED)}, caption())
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("steps", "facts"),
    [
        ([], {}),
        ([{}], {}),
        ([{"top": plain(RED)}, {"left": plain(RED)}], {"step": 1, "got": {"left": (48, 64, 3)}}),
        ([{"top": plain(RED)}, {"top": plain(RED, 50)}], {"step": 1, "got": {"top": (50, 64, 3)}}),
    ],
)
def test_frames_that_do_not_fit_are_refused(tmp_path, steps, facts):
    with pytest.raises(DatasetError) as error, VideoWriter(tmp_path / "a.mp4", 50.0) as video:
        for frames in steps:
            video.add(frames, caption())
    expected = {"expected": {"top": (48, 64, 3)}} if facts else {}
    assert error.value.facts == {"path": tmp_path / "a.mp4", **facts, **expected}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("cameras", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (5, 3, 2), (9, 3, 3), (10, 4, 3)]
)
def test_more_than_three_cameras_make_a_grid(cameras, columns, rows):
    tiling = Tiling({str(i): plain(RED, 210, 220) for i in range(cameras)})
    assert (tiling.height, tiling.width) == (210 * rows, 220 * columns)
    assert len(set(tiling.corners.values())) == cameras


def test_smaller_images_are_centred():
    frames = {"top": plain(RED, 240, 260), "wrist": plain(BLUE, 220, 230)}
    tiling = Tiling(frames)
    canvas = np.zeros((tiling.height, tiling.width, 3), np.uint8)
    tiling.draw(canvas, frames)
    assert (canvas[10:230, 275:505] == BLUE).all() and not canvas[:10, 260:].any() and not canvas[:, 260:275].any()


@pytest.mark.parametrize(("height", "repeat"), [(64, 4), (96, 3), (128, 2), (199, 2), (200, 1), (480, 1)])
def test_pixels_of_small_images_are_repeated_so_that_the_caption_can_be_read(height, repeat):
    rng = np.random.default_rng(0)
    frames = {
        "top": rng.integers(0, 256, (height, height, 3), np.uint8),
        "wrist": plain(BLUE, height // 2, height // 2),
    }
    tiling = Tiling(frames)
    canvas = np.zeros((tiling.height, tiling.width, 3), np.uint8)
    tiling.draw(canvas, frames)
    assert (tiling.height, tiling.width, tiling.cell_height) == (repeat * height, 2 * repeat * height, repeat * height)
    for row in range(repeat):
        for column in range(repeat):
            assert np.array_equal(canvas[row::repeat, column : repeat * height : repeat], frames["top"])
    assert (canvas == BLUE).all(2).sum() == (repeat * (height // 2)) ** 2


def test_the_caption_of_a_small_image_has_room_for_the_seed_the_stage_and_the_outcome(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(CaptionBar, "_text", lambda self, text, width, colour: drawn.append((self, text, width)) or end)
    end = np.zeros((1, 1, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", 50.0) as video:
        video.add({"top": plain(RED, 64, 64)}, caption(seed=100001, outcome="failure"))
    assert {shortened(text, width, bar._size) for bar, text, width in drawn} >= {
        "insertion  seed 100001",
        "lifted",
        "failure",
    }


def drawn(bar_width, image_height, **changes):
    bar = CaptionBar(bar_width, image_height)
    image = np.zeros((bar.height, bar_width, 3), np.uint8)
    bar.draw(image, caption(**changes))
    return image


LONG = "libero_spatial/" + "pick_up_the_black_bowl_" * 5


@pytest.mark.parametrize(("width", "height"), [(160, 120), (640, 480), (1920, 480), (40, 30), (3, 2)])
@pytest.mark.parametrize(
    "changes",
    [{}, {"outcome": "success"}, {"task": LONG, "stage": LONG, "time_s": 12345.6}, {"code": 255, "stage": LONG}],
)
def test_any_caption_fits_any_width(width, height, changes):
    assert drawn(width, height, **changes).shape[1] == width


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "transfer_cube"},
        {"seed": 13},
        {"time_s": 0.02},
        {"stage": "none"},
        {"outcome": "failure"},
        {"code": 17},
    ],
)
@pytest.mark.parametrize(("width", "height"), [(160, 120), (640, 480), (1920, 480)])
def test_every_part_of_the_caption_is_visible(width, height, changes):
    assert not np.array_equal(drawn(width, height), drawn(width, height, **changes))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_outcome_is_at_the_right_in_its_colour(outcome):
    right = drawn(640, 480, outcome=outcome)[:, 500:]
    assert (right.reshape(-1, 3) == OUTCOMES[outcome]).all(axis=1).any()
    assert (drawn(640, 480)[:, 500:] == BACKGROUND).all()


def test_a_long_task_keeps_its_seed():
    assert not np.array_equal(drawn(640, 480, task=LONG), drawn(640, 480, task=LONG, seed=99))


@pytest.mark.parametrize("side", [224, 256])
def test_a_small_video_keeps_the_level_of_its_axis(side):
    first, second = (
        drawn(side, side, task="transfer_cube", seed=100_000, perturb=(f"object_colour:{level}",)) for level in (3, 4)
    )
    assert not np.array_equal(first, second)


def test_the_label_of_the_first_stage_is_not_its_name():
    assert [stage_label(("none", "touched"), stage) for stage in (0, 1)] == ["no stage", "touched"]
