"""What a training says on the terminal."""

import dataclasses

import pytest
from synthetic_dataset import write_dataset
from synthetic_libero import write_panda_dataset
from training_runs import settings

from ambidex.envs.registry import FAMILIES
from ambidex.errors import UsageError
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults
from ambidex.policies.training.checks import VIEWS
from ambidex.text import first_few

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def said(capsys, config):
    train(dataclasses.replace(config, quiet=False))
    return capsys.readouterr().err


def test_the_end_is_told_step_by_step_with_the_loss(states, tmp_path, capsys):
    lines = said(capsys, settings(states, tmp_path / "run", steps=5, log_every=50, save_every=50)).splitlines()
    validating, validation, saving = lines[-3:]
    assert validating.startswith("toy: 5/5, ") and ", loss " in validating and validating.endswith(", validating")
    assert validation.startswith("validation after step 5: loss ") and ", action error " in validation
    assert saving.startswith("toy: 5/5, ") and saving.endswith(", saving")


def test_each_validation_is_a_line(states, tmp_path, capsys):
    output = said(capsys, settings(states, tmp_path / "run"))
    assert [step for step in (5, 10, 15, 20) if f"validation after step {step}: " in output] == [10, 20]


def test_without_episodes_held_out_nothing_is_said_of_validation(states, tmp_path, capsys):
    assert "validati" not in said(capsys, settings(states, tmp_path / "run", steps=5, validation_fraction=0.0))


def test_a_warm_up_that_does_not_end_is_told_with_the_flag(states, tmp_path, capsys):
    config = settings(states, tmp_path / "short", steps=20, warmup_steps=20)
    line = "The learning rate rises over 20 steps, and this run has 20: --warmup-steps 2."
    assert said(capsys, config).count(line) == 1
    assert line not in said(capsys, dataclasses.replace(config, resume=True))
    other = dataclasses.replace(config, output_dir=tmp_path / "longer", warmup_steps=19)
    assert "rises over" not in said(capsys, other)


def test_data_of_two_robots_are_refused_in_few_words(tmp_path):
    aloha, panda = write_dataset(tmp_path / "aloha"), write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    config = dataclasses.replace(defaults("act", "tiny"), data=(aloha, panda), output_dir=tmp_path / "run")
    with pytest.raises(UsageError) as caught:
        train(config)
    text = str(caught.value).replace(str(tmp_path), "")
    assert "/panda differs from /aloha in robot: 'viperx_bimanual' != 'panda' (and family, control, " in text
    assert text.endswith("several robots: --policy uniact.")
    assert len(text) < 300


def test_long_lists_of_names_are_not_spelt_out(tmp_path):
    names = tuple(f"joint_{number}" for number in range(14))
    first, other = (write_dataset(tmp_path / name) for name in "ab")
    other = write_dataset(tmp_path / "c", joint_names=names)
    with pytest.raises(UsageError, match=r"c differs from .*a in joint_names: [a-z_0-9]+ != joint_0\. Train on those"):
        train(dataclasses.replace(settings(first, tmp_path / "run"), data=(first, other)))


@pytest.mark.parametrize(("policy", "way"), [("uniact", ""), ("act", "--observations state")])
def test_data_without_images_get_the_command_that_renders_them(states, tmp_path, policy, way):
    config = dataclasses.replace(defaults(policy, "tiny"), data=(states,), output_dir=tmp_path / "run")
    with pytest.raises(UsageError) as caught:
        train(config)
    command = f"`render-episodes {states} --cameras top --image-size 120 160 --output-dir {states}_images`"
    assert command in str(caught.value) and way in str(caught.value)
    assert "--cameras with some" not in str(caught.value)


def test_datasets_without_a_camera_in_common_are_told_apart(tmp_path):
    data = tuple(write_dataset(tmp_path / camera, cameras=(camera,)) for camera in ("top", "left_wrist"))
    config = dataclasses.replace(defaults("uniact", "tiny"), data=data, output_dir=tmp_path / "run")
    with pytest.raises(UsageError, match=r"left_wrist has images of left_wrist, .*top of top"):
        train(config)


def test_what_is_rendered_by_default_exists_in_every_family():
    assert VIEWS.keys() == FAMILIES.keys()
    assert all(camera in FAMILIES[family].cameras for family, (camera, _) in VIEWS.items())


def test_a_list_is_cut_after_three():
    assert first_few(["a", "b", "c"]) == "a; b; c"
    assert first_few(list("abcde")) == "a; b; c and 2 more"
