import av
import numpy as np
import pytest
from benchmarking_fakes import FIRST, run_into
from page_parts import PageParts
from results_folder import rewrite_row

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.run_benchmark import main as run_benchmark
from ambidex.benchmarks.videos.jobs import RenderedVideos, VideoStyle
from ambidex.benchmarks.videos.make import make_videos
from ambidex.benchmarks.videos.worker import OUTCOME_S
from ambidex.envs.env import make
from ambidex.envs.types import NO_CODE
from ambidex.errors import DatasetError, UnknownNameError
from ambidex.recorders.video.writer import LEAST_HEIGHT, VideoWriter

SMALL = (48, 64)
SMALL_STYLE = VideoStyle(image_size=SMALL)


@pytest.fixture
def results(tmp_path):
    """A success, a failure and an error, without videos."""
    run_into(tmp_path, episodes=3)
    return tmp_path


def videos_in(directory):
    return sorted(path.name for path in (directory / "videos").rglob("*.mp4"))


def frames(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], float(stream.average_rate)


def test_failures_and_errors_get_videos(results):
    rendered = make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0).videos
    assert videos_in(results) == [f"{FIRST}_failure.mp4", f"{FIRST + 2}_error.mp4"]
    assert sorted(path.name for path in rendered) == videos_in(results)


def test_all_or_no_episodes_can_get_videos(results):
    assert make_videos(ResultsFolder(results), "none", workers=0) == RenderedVideos() and videos_in(results) == []
    make_videos(ResultsFolder(results), "all", style=SMALL_STYLE, workers=2)
    assert videos_in(results) == [f"{FIRST}_failure.mp4", f"{FIRST + 1}_success.mp4", f"{FIRST + 2}_error.mp4"]


def test_a_video_shows_the_stored_states_at_true_speed(results):
    make_videos(ResultsFolder(results), "all", style=SMALL_STYLE, workers=0)
    row = ResultsFolder(results).rows[0]
    shown, fps = frames(ResultsFolder(results).video_path(row))
    assert fps == 25.0 and len(shown) == row.steps // 2 + round(OUTCOME_S * fps)
    env, repeat = make("insertion", cameras=("top",), image_size=SMALL), -(-LEAST_HEIGHT // SMALL[0])
    with np.load(ResultsFolder(results).states_path("insertion", row.seed)) as arrays:
        for frame, t in ((shown[0], 0), (shown[-1], -1)):
            image = env.render(arrays["states"][t], "top").astype(float)
            larger = image.repeat(repeat, axis=0).repeat(repeat, axis=1)
            assert np.abs(frame[: larger.shape[0], : larger.shape[1]] - larger).mean() < 8  # lossy, but this image
    env.close()


def test_videos_can_have_any_camera_size_and_quality(results):
    make_videos(
        ResultsFolder(results),
        style=VideoStyle(cameras=("left_wrist", "right_wrist"), image_size=(32, 40), quality="studio"),
        workers=0,
    )
    shown, _ = frames(ResultsFolder(results).video_path(ResultsFolder(results).rows[0]))
    assert shown[0].shape[1] == 80 * 7  # each pixel seven times


def test_existing_videos_stay_unless_replace_is_set(results):
    make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0)
    first = ResultsFolder(results).video_path(ResultsFolder(results).rows[0]).read_bytes()
    assert make_videos(ResultsFolder(results), style=VideoStyle(image_size=(24, 32)), workers=0).videos == ()
    assert ResultsFolder(results).video_path(ResultsFolder(results).rows[0]).read_bytes() == first
    assert (
        len(make_videos(ResultsFolder(results), style=VideoStyle(image_size=(24, 32)), workers=0, replace=True).videos)
        == 2
    )
    assert ResultsFolder(results).video_path(ResultsFolder(results).rows[0]).read_bytes() != first


def test_the_caption_shows_the_code_of_each_step(results, monkeypatch):
    captions = []
    monkeypatch.setattr(VideoWriter, "add", lambda self, frames, caption: captions.append(caption.code))
    monkeypatch.setattr(VideoWriter, "__exit__", lambda self, *error: None)
    rewrite_row(results, 0, codes=[[17, 4], [3, ResultsFolder(results).rows[0].steps - 4]])
    make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0)
    after = captions.index(NO_CODE)  # of the other failure, which has no codes
    assert captions[:3] == [17, 17, 3] and set(captions[2:after]) == {3} and set(captions[after:]) == {NO_CODE}


def test_the_caption_spells_out_stage_zero(results, monkeypatch):
    captions = []
    monkeypatch.setattr(VideoWriter, "add", lambda self, frames, caption: captions.append(caption.stage))
    monkeypatch.setattr(VideoWriter, "__exit__", lambda self, *error: None)
    make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0)
    assert captions[0] == "no stage" and "none" not in captions


def test_resuming_a_benchmark_makes_missing_videos(results):
    run_into(results, episodes=3, video="failures", resume=True)
    assert videos_in(results) == [f"{FIRST}_failure.mp4", f"{FIRST + 2}_error.mp4"]


def damage(path, how):
    if how == "missing":
        path.unlink()
    elif how == "torn":
        path.write_bytes(path.read_bytes()[:200])
    else:
        np.savez(path, states=np.zeros((3, 5)), actions=np.zeros((2, 14)), stages=np.zeros(3, np.int8))


@pytest.mark.parametrize("how", ["missing", "torn", "foreign"])
def test_episodes_with_bad_states_are_reported_and_the_others_rendered(results, how):
    path = ResultsFolder(results).states_path("insertion", FIRST)
    damage(path, how)
    (missing,) = make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0).missing
    assert (missing.task, missing.seed, missing.states) == ("insertion", FIRST, path)
    assert str(path) in missing.reason and "Errno" not in missing.reason
    assert videos_in(results) == [f"{FIRST + 2}_error.mp4"]


def test_the_command_makes_the_other_videos_reports_the_missing_one_and_exits_with_1(results, capsys):
    damage(ResultsFolder(results).states_path("insertion", FIRST), "missing")
    with pytest.raises(SystemExit) as ended:
        run_benchmark(["--resume", "--output-dir", str(results), "--workers", "0", "--video", "failures"])
    _, err = capsys.readouterr()
    assert ended.value.code == 1 and videos_in(results) == [f"{FIRST + 2}_error.mp4"]
    assert f"1 video could not be made. insertion, seed {FIRST}: " in err and "missing" in err
    notice = PageParts((results / "report.html").read_text()).model["notice"]
    assert err.endswith(f"\nrun-benchmark: {notice.splitlines()[0]}\n")


def test_the_hint_on_missing_states_restores_them(results):
    path = ResultsFolder(results).states_path("insertion", FIRST)
    lines, states = (results / "results.jsonl").read_text().splitlines(keepends=True), path.read_bytes()
    path.unlink()
    (results / "results.jsonl").write_text("".join(line for line in lines if f'"seed": {FIRST},' not in line))
    assert run_into(results, episodes=3, resume=True, video="failures").missing_videos == ()
    assert path.read_bytes() == states and len(videos_in(results)) == 2


def test_unknown_cameras_and_choices_are_refused(results):
    with pytest.raises(UnknownNameError, match="failures"):
        make_videos(ResultsFolder(results), "some")
    with pytest.raises(DatasetError, match="sideways"):
        make_videos(ResultsFolder(results), style=VideoStyle(cameras=("sideways",)), workers=0)
    assert videos_in(results) == []


def test_the_first_camera_of_the_family_is_the_default(results):
    make_videos(ResultsFolder(results), style=SMALL_STYLE, workers=0)
    (default, _) = frames(ResultsFolder(results).video_path(ResultsFolder(results).rows[0]))
    make_videos(ResultsFolder(results), style=VideoStyle(cameras=("top",), image_size=SMALL), workers=0, replace=True)
    (top, _) = frames(ResultsFolder(results).video_path(ResultsFolder(results).rows[0]))
    np.testing.assert_array_equal(default[0], top[0])
