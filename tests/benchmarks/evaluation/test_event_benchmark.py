"""A benchmark with changes during its episodes: rows, playing back, videos and take-overs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from ambidex.benchmarks import verify_results
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.take_over.folder import step_folder
from ambidex.benchmarks.take_over.run import take_over
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.make import make_videos
from ambidex.envs.env import make
from ambidex.envs.perturbations.registry import EVENT, event_step
from ambidex.recorders.video.writer import LEAST_HEIGHT

SEED = 100_013  # draws background when the cube is lifted; the next one an event when it is handed over
OVER = 115  # a step after the former
CONFIG = BenchmarkConfig(
    policy="scripted",
    task="transfer_cube",
    perturb=(EVENT,),
    seed=SEED,
    episodes=2,
    horizon=OVER + 5,
    video="none",
    workers=0,
    quiet=True,
)
STYLE = VideoStyle(image_size=(48, 64))
REPEAT = -(-LEAST_HEIGHT // STYLE.image_size[0])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    """Episodes that end before the cube is handed over."""
    folder = tmp_path_factory.mktemp("event")
    benchmark(replace(CONFIG, output_dir=folder / "results"))
    return ResultsFolder(folder / "results")


def test_rows_have_the_first_step_at_which_the_stage_is_reached(results: ResultsFolder) -> None:
    steps = [event_step(row.perturbed) for row in results.rows]
    names = results.info.env_specs["transfer_cube"].stages
    for row, step in zip(results.rows, steps, strict=True):
        stages = EpisodeStates.read(results.states_path(*row.key)).stages
        reached = np.flatnonzero(stages >= names.index(str(row.perturbed[EVENT]["stage"])))
        assert step == (reached[0] if len(reached) else None)
    assert steps[0] is not None
    assert steps[0] < OVER
    assert steps[1] is None


def test_it_is_played_back_bit_for_bit(
    results: ResultsFolder, run_command: Callable[..., tuple[object, str, str]]
) -> None:
    status, out, _ = run_command(verify_results.main, results.path, "--workers", 0, "--bitwise")
    assert status == 0
    assert "2 of 2 episodes have the same states bit for bit and the same row" in out


def test_another_step_is_noticed_by_the_playback(
    results: ResultsFolder, tmp_path: Path, run_command: Callable[..., tuple[object, str, str]]
) -> None:
    copied = shutil.copytree(results.path, tmp_path / "copied")
    rows, step = copied / "results.jsonl", event_step(results.rows[0].perturbed)
    changed = rows.read_text().replace(f'"set_in_step": {step}', '"set_in_step": 3')
    rows.write_text(changed)
    status, out, _ = run_command(verify_results.main, copied, "--workers", 0)
    assert status == 1
    assert "event of perturbed was" in out


def test_videos_show_it_from_its_step_on(results: ResultsFolder) -> None:
    make_videos(results, "all", style=STYLE, workers=0)
    row, step = results.rows[0], event_step(results.rows[0].perturbed)
    states = EpisodeStates.read(results.states_path(*row.key)).states
    with av.open(str(results.video_path(row))) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(stream)]
        stride = round(50 / float(stream.average_rate))
    assert step is not None
    with make("transfer_cube", cameras=("top",), image_size=STYLE.image_size) as clean:
        for index, changes in ((0, False), (step // stride - 1, False), (step // stride + 1, True)):
            image = np.kron(clean.render(states[index * stride], "top").astype(float), np.ones((REPEAT, REPEAT, 1)))
            difference = np.abs(frames[index][: len(image), : image.shape[1]] - image).mean()
            assert (difference > 20) == changes, (index, difference)
            assert changes or difference < 8  # lossy, but this image


def test_a_take_over_after_the_event_has_it_from_its_first_step_on(
    results: ResultsFolder, tmp_path: Path, run_command: Callable[..., tuple[object, str, str]]
) -> None:
    source = shutil.copytree(results.path, tmp_path / "source")
    common = {"policy": "scripted", "video": "none", "workers": 0, "quiet": True}
    config = BenchmarkConfig(take_over=source, every=OVER, take_over_steps=3, output_dir=tmp_path / "over", **common)
    take_over(config)
    for at, expected in ((0, [None, None]), (OVER, [0, None])):
        folder = ResultsFolder(step_folder(tmp_path / "over", at))
        assert [event_step(row.perturbed) for row in folder.rows] == expected
        assert run_command(verify_results.main, folder.path, "--workers", 0, "--bitwise")[0] == 0
    shutil.rmtree(source)
    assert run_command(verify_results.main, folder.path, "--workers", 0, "--bitwise")[0] == 0
