"""Files that version 0.1.0 wrote (tests/data/version_0_1_0) are read, and mean the same settings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.codec import to_json
from ambidex.envs.types import Outcome
from ambidex.errors import UsageError
from ambidex.policies.run_folder import TRAIN_JSON
from ambidex.policies.train_policy import defaults_for, train_config
from ambidex.policies.training.run_info import TrainInfo, stored_settings
from ambidex.policies.uniact.config import UniActConfig
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.rendering.config import RenderConfig

FILES = Path(__file__).parent / "data" / "version_0_1_0"


def test_a_recorded_dataset():
    info = DatasetInfo.read(FILES / "recorded")
    assert (info.versions["ambidex"], info.config, info.complete) == ("0.1.0", {}, True)
    assert (info.env_spec.task, info.env_spec.control, info.env_spec.image_size) == ("insertion", "ee", (60, 80))
    assert info.settings("record-episodes", RecordConfig) == RecordConfig(
        task="insertion",
        num_episodes=2,
        success="strict",
        control="ee",
        cameras=("angle",),
        image_size=(60, 80),
        render_quality="standard",
        storage="jpeg",
        format="act",
        spread="wide",
        noise=1.0,
        seed=50,
        max_attempts=24,
        keep_failures=True,
        video="all",
    )
    attempts = [(each.seed, each.outcome, each.episode) for each in read_attempts(FILES / "recorded")]
    assert attempts == [(50, Outcome.SUCCESS, 0), (51, Outcome.SUCCESS, 1)]


def test_a_rendered_dataset():
    info = DatasetInfo.read(FILES / "rendered")
    assert info.settings("render-episodes", RenderConfig) == RenderConfig(
        path=Path("data/cube"),
        cameras=("angle",),
        image_size=(48, 64),
        render_quality="standard",
        storage="lossless",
        format="act",
    )
    with pytest.raises(UsageError):
        info.settings("record-episodes", RecordConfig)
    assert len(read_attempts(FILES / "rendered")) == 3


def test_results_of_a_policy():
    results = ResultsFolder.open(FILES / "results_policy")
    assert (results.stored_summary.complete, results.stored_summary.episodes, results.requested) == (True, 2, 2)
    assert not results.warning and results.info.serving.lanes == 1
    assert [row.codes[0] for row in results.rows] == [(50, 125), (50, 300)]
    assert results.config == BenchmarkConfig(
        policy="uniact",
        checkpoint=Path("runs/uni/checkpoints/6"),
        task="libero_goal/1",
        success="strict",
        settle_steps=0,
        episodes=2,
    )


def test_results_of_a_baseline_on_a_suite():
    results = ResultsFolder.open(FILES / "results_suite")
    (spec,) = results.info.env_specs.values()
    assert (spec.settle_steps, spec.success, results.info.checkpoint) == (10, "libero", None)
    assert results.info.protocol.startswith("openvla") and results.rows[0].versions["ambidex"] == "0.1.0"
    assert results.config == BenchmarkConfig(
        policy="scripted",
        suite="libero_goal",
        protocol="openvla",
        success="libero",
        horizon=300,
        settle_steps=10,
        episodes=1,
    )


def test_a_run_and_its_checkpoint():
    info = TrainInfo.read(FILES / "run")
    assert (info.policy, info.ranks, info.versions["ambidex"]) == ("uniact", 1, "0.1.0")
    assert info.validation_episodes == {"viperx_bimanual-joint": (2,), "panda-ee": (2,)}
    assert info.data == {"episodes": 6, "samples": 1518, "sha256": info.data["sha256"]}
    found = defaults_for(["--resume", "--output-dir", str(FILES / "run")])
    assert found == replace(
        train_config("uniact", "tiny"),
        data=(Path("data/cube"), Path("data/bowl")),
        steps=6,
        batch_size=4,
        precision="bf16",
        device="cpu",
        output_dir=FILES / "run",
    )
    assert stored_settings(FILES / "run" / "checkpoints" / "6", "uniact", UniActConfig) == found.model


def test_the_files_of_a_run_are_written_with_the_same_fields_and_those_that_came_later(tmp_path):
    info = TrainInfo.read(FILES / "run")
    info.write(tmp_path)
    old, new = (json.loads((folder / TRAIN_JSON).read_text()) for folder in (FILES / "run", tmp_path))
    assert new == {**old, "format_version": 2, "torch_threads": 0}
    assert to_json(info)["config"] == info.config
