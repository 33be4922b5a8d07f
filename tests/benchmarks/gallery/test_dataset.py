"""Datasets in the gallery."""

import numpy as np
import pytest
from dataset_folder import write_dataset
from lerobot_dataset import ALOHA_NAMES, image, write_lerobot
from page_parts import PageParts

from ambidex.benchmarks.gallery.report import make_report
from ambidex.benchmarks.gallery.sources import has_datasets, read_dataset, read_runs
from ambidex.benchmarks.videos.jobs import VideoStyle
from ambidex.benchmarks.videos.worker import VideoWorker
from ambidex.envs.types import Outcome
from ambidex.flags import parse_command
from ambidex.recorders.recording.config import RecordConfig


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset") / "insertion")


def test_every_attempt_is_shown(dataset):
    run = read_dataset(dataset)
    assert [(e.seed, e.outcome, e.stage) for e in run.episodes] == [
        (0, Outcome.SUCCESS, 4), (1, Outcome.ERROR, 1), (2, Outcome.FAILURE, 1), (3, Outcome.SUCCESS, 4)
    ]  # fmt: skip
    assert [e.states.relative_to(dataset).as_posix() if e.states else None for e in run.episodes] == [
        "episode_0.hdf5", None, "failures/episode_2.hdf5", "episode_1.hdf5"
    ]  # fmt: skip


def test_an_attempt_without_stored_states_says_so(tmp_path):
    write_dataset(tmp_path / "data", keep_failures=False)
    report = make_report([read_dataset(tmp_path / "data")], tmp_path / "page.html")
    why = {e["seed"]: e["media"]["why"] for e in PageParts(report.path.read_text()).episodes}
    assert "not stored" in why[2] and "not stored" in why[1] and "watch-rollouts makes it" in why[0]


def test_recorded_videos_are_shown_and_others_have_a_folder_of_their_own(tmp_path):
    folder = write_dataset(tmp_path / "data")
    recorded = folder / "videos" / "episode_1_success.mp4"
    recorded.parent.mkdir()
    recorded.touch()
    videos = {e.seed: e.video for e in read_dataset(folder).episodes}
    assert videos[3] == recorded
    # A video made later must not be taken for a recorded one by --resume.
    assert videos[0] == folder / "videos" / "top-240x320-standard" / "episode_0_success.mp4"
    assert videos[2].name == "seed_2_failure.mp4"


def test_command_attempts_the_seed_again(dataset):
    for episode in read_dataset(dataset).episodes:
        config = parse_command("record-episodes", episode.command, RecordConfig)
        assert (config.task, config.seed, config.num_episodes, config.max_attempts) == ("insertion", episode.seed, 1, 1)
        assert config.keep_failures and f"--seed {episode.seed}" in episode.command


def test_a_folder_of_a_suite_shows_all_its_tasks(tmp_path):
    for task in ("transfer_cube", "insertion"):
        write_dataset(tmp_path / task, task)
    run = read_dataset(tmp_path)
    assert list(run.specs) == ["transfer_cube", "insertion"] and len(run.episodes) == 8
    assert {e.task for e in run.episodes} == {"transfer_cube", "insertion"}


def test_a_folder_of_other_datasets_is_not_a_dataset(tmp_path):
    write_dataset(tmp_path / "monday")
    assert has_datasets(tmp_path / "monday") and not has_datasets(tmp_path)


@pytest.mark.parametrize("names", [None, ALOHA_NAMES])
def test_a_lerobot_dataset_of_another_program_is_shown_with_its_own_images(tmp_path, names):
    folder = write_lerobot(tmp_path / "set", names=names, success=(True, False, True))
    (run,) = read_runs([folder], VideoStyle(image_size=(48, 64)))
    assert [episode.outcome for episode in run.episodes] == ["success", "failure", "success"]
    job = run.video_job(run.episodes[1], VideoStyle())
    worker = VideoWorker()
    assert worker.render(job).is_file()
    assert np.abs(worker.render_end(job).astype(int) - image(1, 3)).mean() < 3
