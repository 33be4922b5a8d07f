"""UniAct with several embodiments: trained and saved together, used one at a time."""

import dataclasses
import json
import math
import shlex
import shutil

import numpy as np
import pytest
import torch
from act_samples import make_batch
from safetensors.torch import load_file
from synthetic_libero import write_panda_dataset
from training_runs import curves, interrupt, same_tensors, tensors, train_on_two_ranks
from two_robots_data import write_two_datasets
from uniact_ranks import information_gradient
from uniact_samples import CHUNK, SMALL, uniact_settings

from ambidex.errors import CheckpointError, UnknownNameError, UsageError
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.checkpoint import load
from ambidex.policies.data.split import Mixture
from ambidex.policies.train_policy import advice, main, train_config
from ambidex.policies.training import train as training
from ambidex.policies.training.train import train
from ambidex.policies.vision_language.tokenizers import ByteTokenizer

ALOHA, PANDA = "viperx_bimanual-joint", "panda-ee"
SIZES = {ALOHA: (14, 14, ("top",)), PANDA: (7, 8, ("agentview", "robot0_eye_in_hand"))}
"""Embodiment -> action dimensions, joints, cameras."""
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_two_datasets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return train(uniact_settings(data, tmp_path_factory.mktemp("run") / "run"))


def observation(embodiment, batch=2):
    _, joints, cameras = SIZES[embodiment]
    size = (48, 64) if embodiment == ALOHA else (32, 32)
    images = {camera: torch.randint(0, 256, (batch, 3, *size), dtype=torch.uint8) for camera in cameras}
    return ObservationBatch(
        qpos=torch.rand(batch, joints), objects=torch.zeros(batch, 14), images=images, instructions=("go",) * batch
    )


@pytest.mark.parametrize("embodiment", [ALOHA, PANDA])
def test_one_checkpoint_acts_with_each_embodiment(run, embodiment):
    policy = load(run)
    policy.use_embodiment(embodiment)
    actions, joints, cameras = SIZES[embodiment]
    assert policy.predict(observation(embodiment)).shape == (2, CHUNK, actions)
    assert policy.inputs.cameras == policy.spec.cameras == cameras
    assert len(policy.spec.joint_names) == joints and len(policy.spec.action_names) == actions


def test_an_unknown_embodiment_is_refused(run):
    with pytest.raises(UnknownNameError, match=f"panda_ee.*{PANDA}"):
        load(run).use_embodiment("panda_ee")


def test_each_embodiment_has_the_statistics_of_its_own_data(run):
    policy = load(run)
    folder = run / "checkpoints" / "6"
    for embodiment, place in ((ALOHA, folder), (PANDA, folder / "robots" / "1")):
        mean = json.loads((place / "statistics.json").read_text())["actions"]["mean"]
        assert torch.allclose(policy.model.domain(embodiment).actions.mean, torch.tensor(mean))


def test_the_tokenizer_is_trained_on_all_instructions(run):
    texts = [spec.instruction for spec in load(run).specs]
    assert texts == ["insert the peg into the socket", "put the bowl on the plate"]
    expected = ByteTokenizer.train(texts, SMALL["scratch"].vocabulary)
    assert load(run).model.extractor.tokenizer.to_json() == expected.to_json()


def test_each_embodiment_is_validated(run):
    tags = curves(run)
    assert {f"validation/{embodiment}/loss" for embodiment in SIZES} <= tags.keys()


def test_codes_are_counted_for_each_embodiment(run):
    found, prefix = curves(run), "validation/codes/perplexity/"
    assert {tag for tag in found if tag.startswith(prefix)} == {prefix + embodiment for embodiment in SIZES}
    for tag in (*(prefix + embodiment for embodiment in SIZES), f"validation/codes/jensen_shannon/{ALOHA} and {PANDA}"):
        assert [step for step, _ in found[tag]] == [3, 6]


def test_metrics_are_named_by_embodiment_even_if_one_has_no_held_out_episode(data, tmp_path):
    short = write_panda_dataset(
        tmp_path / "panda", lengths=(7,), image_size=(32, 32)
    )  # a single episode is not held out
    tags = curves(train(uniact_settings((data[0], short), tmp_path / "run"))).keys()
    assert f"validation/{ALOHA}/loss" in tags and "validation/loss" not in tags
    assert not [tag for tag in tags if tag.startswith(f"validation/{PANDA}/")]


def test_the_weights_of_every_embodiment_are_averaged(run):
    """The weights of a checkpoint differ from those after its last step, in both interpreters."""
    found = tensors(run, 6)
    saved, state = found["model.safetensors"], found["training_state.safetensors"]
    for embodiment in SIZES:
        for name in (
            f"model.domains.{embodiment}.interpreter.head.weight",
            f"model.domains.{embodiment}.blind.head.weight",
        ):
            raw, average = (state[f"{kind}/{name}"] for kind in ("parameter", "average"))
            assert torch.equal(saved[name], average) and not torch.equal(saved[name], raw)


def test_an_interrupted_training_is_resumed_with_the_same_bits(data, run, tmp_path):
    interrupt(uniact_settings(data, tmp_path / "run"), 3)
    again = train(uniact_settings(data, tmp_path / "run", resume=True))
    assert same_tensors(tensors(run, 6), tensors(again, 6))


def test_a_step_of_one_embodiment_gives_the_other_no_gradients(run):
    policy = load(run).train()
    policy.losses(make_batch(cameras=("top",)))["loss"].backward()
    for embodiment in SIZES:
        with_gradient = [parameter.grad is not None for parameter in policy.model.domain(embodiment).parameters()]
        assert all(with_gradient) if embodiment == ALOHA else not any(with_gradient)


def test_a_policy_of_one_embodiment_refuses_two(data, tmp_path):
    config = dataclasses.replace(train_config("act", "tiny"), data=data, output_dir=tmp_path / "run")
    with pytest.raises(UsageError, match="cannot be trained on together"):
        train(config)


@pytest.mark.parametrize(
    "mixture", [(1.0,), (1.0, 0.0), (1.0, 1.0, 1.0), (math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)]
)
def test_weights_that_do_not_fit_are_refused(data, tmp_path, mixture):
    with pytest.raises(UsageError, match=f"expected 2 finite numbers above 0.*{ALOHA}, {PANDA}") as caught:
        train(uniact_settings(data, tmp_path / "run", mixture=mixture))
    assert caught.value.facts == {"field": "mixture", "got": mixture}


@pytest.mark.parametrize("changes", [{"mixture": (1000.0, 1.0)}, {"steps": 1}])
def test_an_embodiment_without_a_training_step_is_refused(data, tmp_path, changes):
    with pytest.raises(UsageError, match="no step would train") as caught:
        train(uniact_settings(data, tmp_path / "run", **changes))
    assert len(caught.value.facts["got"]) == 1
    assert ("--mixture" in caught.value.problem) is ("mixture" in changes)


def test_steps_follow_the_weights_of_the_mixture(data, tmp_path):
    weights = (1.0, 4.0)
    found = curves(train(uniact_settings(data, tmp_path / "run", mixture=weights, steps=12, log_every=1)))
    robots = Mixture(weights, seed=0, steps=12).embodiments
    assert not np.array_equal(robots, Mixture((1.0, 1.0), seed=0, steps=12).embodiments)
    for i, embodiment in enumerate(SIZES):
        steps = [step for step, _ in found[f"loss/{embodiment}/huber"]]
        assert steps == (np.flatnonzero(robots == i) + 1).tolist() != []


def test_a_camera_that_no_embodiment_has_is_refused(data, tmp_path):
    cameras = ("top", "agentview", "angel")
    with pytest.raises(UsageError) as caught:
        train(uniact_settings(data, tmp_path / "run", model={"cameras": cameras}))
    assert (caught.value.facts["field"], caught.value.facts["got"]) == ("cameras", ["angel"])


@pytest.fixture(scope="module")
def ranks(data, tmp_path_factory):
    """A folder with the runs "one", of one process, and "two", of two with half the batch size each."""
    folder = tmp_path_factory.mktemp("ranks")
    flags = (
        "--policy uniact --preset tiny --steps 5 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        "--validation-fraction 0 --chunk-size 1 --scratch.layers 1 --temperature-start 0.001 --temperature-end 0.001 "
        "--d-model 32 --feedforward 48 --backbone-width 8 --learning-rate 0.001 --schedule constant --log-every 1"
    ).split()
    words = [*flags, "--data", *map(str, data), "--output-dir"]
    with pytest.raises(SystemExit) as end:
        main([*words, str(folder / "one"), "--batch-size", "8"])
    assert end.value.code == 0
    train_on_two_ranks([*words, folder / "two", "--batch-size", 4])
    return folder


def test_two_ranks_train_the_same_embodiment_in_each_step(ranks):
    """Otherwise an interpreter would be trained on half of a batch, and its weights would differ."""
    one, two = (tensors(ranks / name, 5)["model.safetensors"] for name in ("one", "two"))
    assert one.keys() == two.keys() and all(torch.isfinite(value).all() for value in two.values())
    for embodiment in SIZES:
        name = f"model.domains.{embodiment}.interpreter.head.bias"
        assert torch.allclose(one[name], two[name], atol=2e-3) and one[name].abs().max() > 2e-3


def test_two_ranks_end_with_the_same_weights(ranks):
    """uniact_ranks.py also checks after each step that the weights of the other embodiment have not changed."""
    first, second = (load_file(ranks / f"two-{rank}.safetensors") for rank in (0, 1))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_information_of_codes_is_that_of_all_ranks(ranks):
    value, gradient = information_gradient()
    two = load_file(ranks / "two-0.safetensors")
    assert torch.allclose(two["information"], value, atol=1e-6)
    assert torch.allclose(two["information_gradient"], gradient, atol=1e-6) and gradient.abs().max() > 1e-3
    for term in ("information", "divergence"):
        (step, alone), (same_step, together) = (curves(ranks / name)[f"loss/{term}"][0] for name in ("one", "two"))
        assert step == same_step == 1 and together == pytest.approx(alone, rel=1e-4)


def test_the_log_has_the_losses_of_each_embodiment(ranks):
    robots = Mixture((1.0, 1.0), seed=0, steps=5).embodiments
    for name in ("one", "two"):
        found = curves(ranks / name)
        for i, embodiment in enumerate(SIZES):
            own = found[f"loss/{embodiment}/huber"]
            assert [step for step, _ in own] == (np.flatnonzero(robots == i) + 1).tolist()
            assert set(own) <= set(found["loss/huber"])
        assert not [tag for tag in found if tag.count("gradient_norm") and tag != "gradient_norm"]


def test_a_missing_folder_of_embodiments_is_named(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run / "checkpoints" / "6", copy)
    shutil.rmtree(copy / "robots")
    with pytest.raises(CheckpointError) as caught:
        load(copy)
    assert caught.value.facts == {"path": copy / "robots", "got": [ALOHA], "expected": (PANDA, ALOHA)}
    assert len(str(caught.value)) < 400


def test_each_embodiment_has_its_own_benchmark_command(run):
    commands = [shlex.split(command) for command in advice("uniact", run).partition(": ")[2].split(" && ")]
    assert [command[-2:] for command in commands] == [
        ["--task", "insertion"],
        ["--task", "libero_goal/put_the_bowl_on_the_plate"],
    ]


def test_a_temperature_that_does_not_reach_its_end_gives_a_warning_with_the_flag(data, tmp_path, capsys):
    config = uniact_settings(data[0], tmp_path / "run", steps=4, quiet=False)
    train(config)
    line = "The temperature falls over 100 steps, and this run has 4: --temperature-steps 3."
    assert line in capsys.readouterr().err
    train(dataclasses.replace(config, output_dir=tmp_path / "finetuned", finetune=tmp_path / "run"))
    line = "The temperature has 96 steps left to fall, this run has 4: --temperature-steps 3 restarts it."
    assert line in capsys.readouterr().err
    base, short = tmp_path / "run", dataclasses.replace(config.model, temperature_steps=4)
    train(dataclasses.replace(config, output_dir=tmp_path / "short", model=short))
    train(dataclasses.replace(config, output_dir=tmp_path / "adapted", adapt=base))  # draws no codes
    assert "The temperature falls" not in capsys.readouterr().err


def fail_to_read(*arguments, **options):
    raise AssertionError("data is read before weight files are checked")


def test_all_missing_weights_are_named_at_once_before_data_is_read(data, tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="pip install -e '.[uniact]'")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(training, "read_tables", fail_to_read)
    config = dataclasses.replace(train_config("uniact", "llava_ov_0.5b"), data=data, output_dir=tmp_path / "run")

    def missing_fields(**changes):
        with pytest.raises(UsageError) as caught:
            train(dataclasses.replace(config, model=dataclasses.replace(config.model, **changes)))
        return caught.value.facts["fields"]

    assert missing_fields() == ("backbone_weights", "extractor_weights")
    assert missing_fields(backbone_weights="none") == ("extractor_weights",)
    assert missing_fields(extractor_weights="none") == ("backbone_weights",)
    assert missing_fields(backbone_weights=str(tmp_path / "file"), extractor_weights="none") == ("backbone_weights",)
    act = dataclasses.replace(train_config("act", "base", "images"), data=data[:1], output_dir=tmp_path / "run")
    with pytest.raises(UsageError) as caught:
        train(act)
    assert caught.value.facts["field"] == "backbone_weights"
    with pytest.raises(AssertionError, match="data is read"):
        train(dataclasses.replace(act, model=train_config("act", "base", "state").model))
