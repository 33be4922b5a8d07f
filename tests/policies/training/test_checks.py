"""Data and flags that are refused before training starts."""

import dataclasses
import shlex
from types import SimpleNamespace

import pytest
from lerobot_dataset import write_lerobot
from synthetic_dataset import STATES, write_dataset
from synthetic_libero import write_panda_dataset
from toy_learner import ToyConfig, ToyLearner
from training_runs import settings

from ambidex.envs.registry import FAMILIES
from ambidex.errors import UsageError
from ambidex.policies.train_policy import train_config
from ambidex.policies.training import checks
from ambidex.policies.training.train import train

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def error_of(config):
    with pytest.raises(UsageError) as caught:
        train(config)
    return caught.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("batch_size", -3),
        ("ema_decay", 1.0),
        ("learning_rate", float("nan")),
        ("gradient_clip", float("inf")),
        ("weight_decay", float("inf")),
        ("schedule", "cos"),
        ("precision", "fp16"),
        ("device", "quantum"),
        ("data_path", "fast"),
        ("data", ()),
    ],
)
def test_wrong_values_are_refused_before_anything_is_written(images, tmp_path, field, value):
    config = settings(images, tmp_path / "run", model={"observations": "images"})
    error = error_of(dataclasses.replace(config, **{field: value}))
    assert error.facts["field"] == field
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_dataset_is_refused_before_weights_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(ToyLearner, "check_weight_files", lambda config: pytest.fail("looked for weights"))
    error = error_of(settings(tmp_path, tmp_path / "run"))
    assert error.facts["path"] == tmp_path


@pytest.mark.parametrize(("chunk", "warned"), [(3, False), (7, False), (8, True)])
def test_a_chunk_longer_than_every_episode_is_reported(chunk, warned):
    tables = [
        SimpleNamespace(entries=[SimpleNamespace(steps=steps) for steps in lengths]) for lengths in ((2, 7), (5,))
    ]
    plan = SimpleNamespace(
        policy=SimpleNamespace(chunk_size=chunk), data=[SimpleNamespace(table=table) for table in tables]
    )
    assert ["at most 7" in text for text in checks.chunk_warnings(plan)] == [True] * warned


def test_a_window_longer_than_every_episode_is_refused_before_there_are_weights(states, tmp_path, monkeypatch):
    train(settings(states, tmp_path / "fits", steps=1, model={"history": 3, "stride": 4}))  # the longest has 9 steps
    devices, make = set(), ToyLearner.__init__

    def recorded(self, *given):
        make(self, *given)
        devices.add(self.head.weight.device.type)

    monkeypatch.setattr(ToyLearner, "__init__", recorded)
    error = error_of(settings(states, tmp_path / "run", model={"history": 4, "stride": 3}))
    assert devices == {"meta"}
    assert (error.facts["field"], error.facts["got"], error.facts["expected"]) == ("history", 10, 9)
    assert not (tmp_path / "run").exists()


def test_a_value_out_of_range_is_named_with_the_range(states, tmp_path):
    error = error_of(settings(states, tmp_path / "run", ema_decay=1.0))
    assert error.problem == "--ema-decay 1.0: expected from 0 to below 1."


def test_missing_cameras_are_refused_with_the_command_that_renders_them(states, images, tmp_path):
    error = error_of(settings(states, tmp_path / "run", model={"observations": "images"}))
    command = f"render-episodes {states} --cameras top --image-size 120 160 --output-dir {states}_images"
    assert (error.facts["got"], error.facts["expected"]) == ((), ()) and command in error.hint
    cameras = ("top", "right_wrist")
    error = error_of(settings(images, tmp_path / "run", model={"observations": "images", "cameras": cameras}))
    assert (error.facts["got"], error.facts["expected"]) == (("top", "left_wrist"), cameras)
    assert f"render-episodes {images} --cameras top right_wrist --output-dir" in error.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("policy", "alternative"), [("uniact", ""), ("act", "--observations state")])
def test_a_policy_of_images_refuses_states_with_the_command_that_renders_images(states, tmp_path, policy, alternative):
    config = dataclasses.replace(train_config(policy, "tiny"), data=(states,), output_dir=tmp_path / "run")
    error = error_of(config)
    command = f"render-episodes {states} --cameras top --image-size 120 160 --output-dir {states}_images"
    assert shlex.split(error.hint.split("`")[1]) == shlex.split(command)
    assert alternative in str(error)


@pytest.mark.parametrize(
    ("change", "field"), [({"cameras": ("top",)}, "cameras"), ({"render_quality": "studio"}, "render_quality")]
)
def test_datasets_whose_images_differ_are_refused_unless_the_policy_does_not_use_them(tmp_path, change, field):
    a, b = write_dataset(tmp_path / "a"), write_dataset(tmp_path / "b", first_seed=10, **change)
    config = dataclasses.replace(settings(a, tmp_path / "run", steps=1), data=(a, b))
    error = error_of(dataclasses.replace(config, model=ToyConfig(observations="images")))
    assert (error.facts["field"], error.facts["path"]) == (field, b)
    train(config)
    if "cameras" in change:
        model = ToyConfig(observations="images", cameras=("top",))
        train(dataclasses.replace(config, model=model, output_dir=tmp_path / "named"))


def test_datasets_without_a_common_camera_are_refused(tmp_path):
    data = tuple(
        write_dataset(tmp_path / camera, cameras=(camera,), first_seed=seed)
        for seed, camera in ((0, "top"), (10, "left_wrist"))
    )
    config = dataclasses.replace(train_config("uniact", "tiny"), data=data, output_dir=tmp_path / "run")
    assert error_of(config).facts == {"field": "cameras", "path": data[1]}


def test_a_dataset_without_object_poses_is_named(tmp_path):
    data = write_lerobot(tmp_path / "theirs")
    error = error_of(train_config("act", "tiny", "state", data=(data,), output_dir=tmp_path / "run"))
    assert error.facts["field"] == "object_names" and f"{data} has none" in error.problem


def test_poses_of_different_objects_are_refused(tmp_path):
    a = write_dataset(tmp_path / "a", **STATES)
    b = write_dataset(tmp_path / "b", object_names=("socket", "peg"), first_seed=10, **STATES)
    error = error_of(dataclasses.replace(settings(a, tmp_path / "run", steps=1), data=(a, b)))
    assert error.facts["field"] == "object_names"


def test_data_of_two_robots_is_refused_briefly(tmp_path):
    aloha, panda = write_dataset(tmp_path / "aloha"), write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    config = dataclasses.replace(train_config("act", "tiny"), data=(aloha, panda), output_dir=tmp_path / "run")
    error = error_of(config)
    assert error.facts["got"][panda][0].startswith("robot: 'panda' != 'viperx_bimanual' (and family, control, ")
    assert len(str(error).replace(str(tmp_path), "")) < 300


def test_the_suggested_camera_exists_in_every_family():
    assert checks.DEFAULT_VIEWS.keys() == FAMILIES.keys()
    assert all(camera in FAMILIES[family].cameras for family, (camera, _) in checks.DEFAULT_VIEWS.items())
