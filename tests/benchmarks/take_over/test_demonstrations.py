"""`run-benchmark --take-over RESULTS --record-dataset DIR`: what episodes hold, and what is refused."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.gallery.sources import read_run
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.take_over.folder import step_folder
from ambidex.benchmarks.take_over.run import take_over
from ambidex.envs.env import make
from ambidex.envs.perturbations.registry import event_step
from ambidex.envs.tasks.aloha.transfer_cube import TransferCube
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.inspection.inspect import inspect
from ambidex.recorders.inspection.report import report
from ambidex.recorders.verification.verify import verify

SEED, EVERY, TASK = 50_000, 2, "transfer_cube"
LIGHT = 50_011  # a seed whose event is light
SOURCE = BenchmarkConfig(
    policy="hold",
    task=TASK,
    training_seeds=True,
    seed=SEED,
    episodes=1,
    horizon=EVERY,
    perturb=("dynamics:1",),
    video="none",
    workers=0,
    quiet=True,
)
TAKE_OVER = BenchmarkConfig(policy="scripted", every=EVERY, take_over_steps=300, workers=0, quiet=True)
IMAGES: Mapping[str, object] = {"cameras": ("top",), "image_size": (24, 32)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A failure in `failed`, the expert's take-overs at its first and last state in `out`, both successes in `data`."""
    root = tmp_path_factory.mktemp("demonstrations")
    benchmark(replace(SOURCE, output_dir=root / "failed"))
    take_over(
        replace(TAKE_OVER, take_over=root / "failed", output_dir=root / "out", record_dataset=root / "data", **IMAGES)
    )  # type: ignore[arg-type]
    return root


@pytest.fixture
def copied(root: Path, tmp_path: Path) -> Path:
    """A copy of the dataset that a test may change."""
    return Path(shutil.copytree(root / "data", tmp_path / "data"))


def test_each_successful_take_over_is_an_episode_from_its_first_state_on(root: Path) -> None:
    failed = ResultsFolder(root / "failed")
    before = EpisodeStates.read(failed.states_path(TASK, SEED)).states
    dataset = Dataset(root / "data")
    assert len(dataset) == dataset.info.attempts == 2
    for stored, step in zip(dataset, (0, EVERY), strict=True):
        episode, results = stored.episode, ResultsFolder(step_folder(root / "out", step))
        acted = EpisodeStates.read(results.states_path(TASK, SEED))
        assert np.array_equal(episode.states[0], before[step])
        assert np.array_equal(episode.states, acted.states)
        assert np.array_equal(episode.actions, acted.actions)
        assert (episode.seed, episode.outcome, episode.steps) == (SEED, Outcome.SUCCESS, results.rows[0].steps)
        assert episode.perturbed == results.rows[0].perturbed and episode.spec.perturb == ("dynamics:1",)
        assert stored.frame("top", 0).shape == (24, 32, 3)
        source = episode.taken_over
        assert source is not None
        assert (source.results, source.policy, source.step) == (str(root / "failed"), "hold", step)
        assert source.initial_state_sha256 == sha256(before[0].tobytes()).hexdigest()
        assert dataset.attempts[step // EVERY].taken_over == source


def test_episodes_are_replayed_from_their_first_state_in_both_control_modes(root: Path) -> None:
    ((_, found),) = verify(root / "data" / "episode_1.hdf5", workers=0)
    assert found.states.same and found.reproduces  # type: ignore[union-attr]
    assert found.ee_success is True  # type: ignore[union-attr]


def test_an_interrupted_dataset_is_completed_with_the_same_files(root: Path, copied: Path) -> None:
    lost = copied / "episode_1.hdf5"
    before = lost.read_bytes()
    lost.unlink()
    replace(Dataset(root / "data").info, complete=False).write(copied)
    resume = BenchmarkConfig(resume=True, output_dir=root / "out", record_dataset=copied, workers=0, quiet=True)
    take_over(resume)
    assert lost.read_bytes() == before
    assert Dataset(copied).info.complete


def test_a_dataset_of_other_take_overs_or_images_is_not_completed(root: Path, copied: Path) -> None:
    resume = BenchmarkConfig(resume=True, output_dir=root / "out", record_dataset=copied, workers=0, quiet=True)
    with pytest.raises(UsageError, match="cameras"):
        take_over(replace(resume, cameras=("top", "angle")))
    attempts = copied / "attempts.jsonl"
    attempts.write_text(attempts.read_text().replace('"step": 2', '"step": 1'))
    with pytest.raises(UsageError, match="other take-overs"):
        take_over(resume)


def test_states_that_are_not_reproduced_are_not_stored(root: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(root / "out", tmp_path / "out"))
    path = ResultsFolder(step_folder(out, 0)).states_path(TASK, SEED)
    stored = EpisodeStates.read(path)
    stored.states[3, 1] += 1e-12
    stored.write(path)
    resume = BenchmarkConfig(
        resume=True, output_dir=out, record_dataset=tmp_path / "data", cameras=(), workers=0, quiet=True
    )
    with pytest.raises(DatasetError, match="computes differently"):
        take_over(resume)
    assert not list((tmp_path / "data").glob("episode_*"))


def test_datasets_show_from_where_their_episodes_are(root: Path) -> None:
    ((found, _),) = inspect(root / "data")
    assert "2 episodes from steps 0 to 2 of 1 failed episode" in report(found)
    (shown,) = read_run(root / "data").episodes
    assert ("taken over at step", "2") in shown.facts


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"training_seeds": False, "seed": 100_000}, "held out"),
        ({}, "not empty"),
    ],
)
def test_datasets_that_could_not_be_trained_on_or_exist_are_refused_before_the_first_take_over(
    tmp_path: Path, changes: dict[str, object], match: str
) -> None:
    failed = benchmark(replace(SOURCE, output_dir=tmp_path / "failed", **changes)).directory  # type: ignore[arg-type]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.tex").touch()
    config = replace(TAKE_OVER, take_over=failed, output_dir=tmp_path / "out", record_dataset=tmp_path / "data")
    with pytest.raises(UsageError, match=match):
        take_over(config)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="--cameras"):
        take_over(replace(config, record_dataset=None, cameras=("top",)))


def test_an_event_before_the_take_over_is_in_the_episode_from_its_first_step_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TransferCube, "stage", lambda self, scene: 3 * (round(scene.data.time * 50) == 1))
    benchmark(replace(SOURCE, perturb=("event",), seed=LIGHT, output_dir=tmp_path / "failed"))
    folders = {"take_over": tmp_path / "failed", "output_dir": tmp_path / "out", "record_dataset": tmp_path / "data"}
    take_over(replace(TAKE_OVER, **folders, **IMAGES))  # type: ignore[arg-type]
    stored = Dataset(tmp_path / "data")
    assert [event_step(each.episode.perturbed) for each in stored] == [1, 0]
    with make(TASK, **IMAGES) as clean:  # type: ignore[arg-type]
        for each, seen in zip(stored, (False, True), strict=True):
            image = clean.render(each.episode.states[0], "top")
            assert np.array_equal(each.frame("top", 0), image) != seen
            assert not np.array_equal(each.frame("top", 1), clean.render(each.episode.states[1], "top"))
    assert all(result.reproduces for _, result in verify(tmp_path / "data", ee=False, workers=0))
