"""What is said of checkpoints and trainings of several robots, and of weights that are not there."""

import shlex
import shutil
from dataclasses import replace

import pytest
import torch
from two_robots_data import write_two_datasets
from uniact_samples import uniact_settings

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies import train as training
from ambidex.policies.checkpoint import load
from ambidex.policies.train import train
from ambidex.policies.train_policy import _next_command, defaults

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_two_datasets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return train(uniact_settings(data, tmp_path_factory.mktemp("run") / "run", steps=2))


def test_a_missing_folder_of_robots_is_named(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run / "checkpoints" / "2", copy)
    shutil.rmtree(copy / "robots")
    with pytest.raises(CheckpointError) as caught:
        load(copy)
    said = str(caught.value)
    assert said.startswith(f"The folder robots/ of the checkpoint {copy} is missing: model.safetensors has 2 robots, ")
    assert "panda-ee" in said and len(said) < 400


def test_each_robot_has_its_own_benchmark(run):
    commands = [shlex.split(command) for command in _next_command("uniact", run).split(" && ")]
    assert [command[-2:] for command in commands] == [
        ["--task", "insertion"],
        ["--task", "libero_goal/put_the_bowl_on_the_plate"],
    ]


def test_a_temperature_that_does_not_fall_in_time_is_told_with_the_flag(data, tmp_path, capsys):
    config = uniact_settings(data[0], tmp_path / "run", steps=4, quiet=False)
    train(config)
    said = capsys.readouterr().err
    assert "The temperature falls over 100 steps, and this run has 4: --temperature-steps 3." in said
    train(replace(config, output_dir=tmp_path / "finetuned", finetune=tmp_path / "run"))
    line = "The temperature has 96 steps left to fall, this run has 4: --temperature-steps 3 begins anew."
    assert line in capsys.readouterr().err
    base, short = tmp_path / "run", replace(config.model, temperature_steps=4)
    train(replace(config, output_dir=tmp_path / "short", model=short))
    train(replace(config, output_dir=tmp_path / "adapted", adapt=base))  # where no codes are drawn
    assert "The temperature falls" not in capsys.readouterr().err


def no_reading(*arguments, **options):
    raise AssertionError("data are read before files of weights are looked for")


def test_all_weights_that_are_missing_are_told_at_once_before_data_are_read(data, tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="pip install 'ambidex[uniact]'")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(training, "read_tables", no_reading)
    config = replace(defaults("uniact", "llava_ov_0.5b"), data=data, output_dir=tmp_path / "run")
    with pytest.raises(UsageError, match=r"ResNet-18 .*--backbone-weights FILE.*LLaVA-OneVision .*--extractor-weights"):
        train(config)
    with pytest.raises(UsageError, match=r"^LLaVA-OneVision needs weights"):
        train(replace(config, model=replace(config.model, backbone_weights="none")))
    with pytest.raises(UsageError, match=r"^ResNet-18"):
        train(replace(config, model=replace(config.model, extractor_weights="none")))
    with pytest.raises(UsageError, match=r"^backbone_weights: .*file is no file"):
        model = replace(config.model, backbone_weights=str(tmp_path / "file"), extractor_weights="none")
        train(replace(config, model=model))
    with pytest.raises(UsageError, match=r"^ResNet-18"):
        train(replace(defaults("act", "base", "images"), data=data[:1], output_dir=tmp_path / "run"))
    with pytest.raises(AssertionError, match="data are read"):
        train(replace(defaults("act", "base", "state"), data=data[:1], output_dir=tmp_path / "run"))
