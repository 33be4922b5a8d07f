"""One UniAct for several robots: trained together, kept together, used apart."""

import dataclasses
import json
import math

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

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.checkpoint import load
from ambidex.policies.data.split import Mixture
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults, main
from ambidex.policies.uniact.extractor.tokenizers import ByteTokenizer

ALOHA, PANDA = "viperx_bimanual-joint", "panda-ee"
SIZES = {ALOHA: (14, 14, ("top",)), PANDA: (7, 8, ("agentview", "robot0_eye_in_hand"))}
"""Robot -> action dimensions, joints, cameras."""
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_two_datasets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return train(uniact_settings(data, tmp_path_factory.mktemp("run") / "run"))


def observation(robot, batch=2):
    _, joints, cameras = SIZES[robot]
    size = (48, 64) if robot == ALOHA else (32, 32)
    images = {camera: torch.randint(0, 256, (batch, 3, *size), dtype=torch.uint8) for camera in cameras}
    return ObservationBatch(
        qpos=torch.rand(batch, joints), objects=torch.zeros(batch, 14), images=images, instructions=("go",) * batch
    )


@pytest.mark.parametrize("robot", [ALOHA, PANDA])
def test_one_checkpoint_acts_with_each_robot(run, robot):
    policy = load(run)
    policy.use_embodiment(robot)
    actions, joints, cameras = SIZES[robot]
    assert policy.predict(observation(robot)).shape == (2, CHUNK, actions)
    assert policy.inputs.cameras == policy.spec.cameras == cameras
    assert len(policy.spec.joint_names) == joints and len(policy.spec.action_names) == actions


def test_a_robot_that_it_does_not_know_is_refused(run):
    with pytest.raises(UnknownNameError, match=f"panda_ee.*{PANDA}"):
        load(run).use_embodiment("panda_ee")


def test_each_robot_has_the_statistics_of_its_own_data(run):
    policy = load(run)
    folder = run / "checkpoints" / "6"
    for robot, place in ((ALOHA, folder), (PANDA, folder / "robots" / "1")):
        mean = json.loads((place / "statistics.json").read_text())["actions"]["mean"]
        assert torch.allclose(policy.model.domain(robot).actions.mean, torch.tensor(mean))


def test_the_tokenizer_knows_the_words_of_all(run):
    texts = [spec.instruction for spec in load(run).specs]
    assert texts == ["insert the peg into the socket", "put the bowl on the plate"]
    learned = ByteTokenizer.learned(texts, SMALL["scratch"].vocabulary)
    assert load(run).model.extractor.tokenizer.to_json() == learned.to_json()


def test_each_robot_is_validated(run):
    tags = curves(run)
    assert {f"validation/{robot}/loss" for robot in SIZES} <= tags.keys()


def test_codes_are_counted_for_the_robot_that_they_were_chosen_for(run):
    found, prefix = curves(run), "validation/codes/perplexity/"
    assert {tag for tag in found if tag.startswith(prefix)} == {prefix + robot for robot in SIZES}
    for tag in (*(prefix + robot for robot in SIZES), f"validation/codes/jensen_shannon/{ALOHA} and {PANDA}"):
        assert [step for step, _ in found[tag]] == [3, 6]


def test_figures_go_by_robot_where_one_holds_out_nothing(data, tmp_path):
    short = write_panda_dataset(tmp_path / "panda", lengths=(7,), image_size=(32, 32))  # of one episode none is left
    tags = curves(train(uniact_settings((data[0], short), tmp_path / "run"))).keys()
    assert f"validation/{ALOHA}/loss" in tags and "validation/loss" not in tags
    assert not [tag for tag in tags if tag.startswith(f"validation/{PANDA}/")]


def test_the_weights_of_every_robot_are_averaged(run):
    """What a checkpoint acts with differs from what its last step left, in both interpreters."""
    found = tensors(run, 6)
    used, left = found["model.safetensors"], found["training_state.safetensors"]
    for robot in SIZES:
        for name in (f"model.domains.{robot}.interpreter.head.weight", f"model.domains.{robot}.blind.head.weight"):
            raw, average = (left[f"{kind}/{name}"] for kind in ("parameter", "average"))
            assert torch.equal(used[name], average) and not torch.equal(used[name], raw)


def test_an_interrupted_training_goes_on_to_the_same_bits(data, run, tmp_path):
    interrupt(uniact_settings(data, tmp_path / "run"), 3)
    again = train(uniact_settings(data, tmp_path / "run", resume=True))
    assert same_tensors(tensors(run, 6), tensors(again, 6))


def test_a_step_of_one_robot_leaves_the_interpreter_of_the_other_alone(run):
    policy = load(run).train()
    policy.losses(make_batch(cameras=("top",)))["loss"].backward()
    for robot in SIZES:
        touched = [parameter.grad is not None for parameter in policy.model.domain(robot).parameters()]
        assert all(touched) if robot == ALOHA else not any(touched)


def test_a_policy_of_one_robot_refuses_two(data, tmp_path):
    config = dataclasses.replace(defaults("act", "tiny"), data=data, output_dir=tmp_path / "run")
    with pytest.raises(UsageError, match=r"cannot be trained on together: .*robot"):
        train(config)


@pytest.mark.parametrize(
    "mixture", [(1.0,), (1.0, 0.0), (1.0, 1.0, 1.0), (math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)]
)
def test_weights_that_do_not_fit_are_refused(data, tmp_path, mixture):
    with pytest.raises(UsageError, match=rf"--mixture .*expected 2 finite numbers above 0.*{ALOHA}, {PANDA}"):
        train(uniact_settings(data, tmp_path / "run", mixture=mixture))


def test_a_robot_that_would_have_no_turn_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match=rf"^--mixture 1000.0 1.0, --steps 6: no step would be about {PANDA}, .*more"):
        train(uniact_settings(data, tmp_path / "run", mixture=(1000.0, 1.0)))
    with pytest.raises(UsageError, match=r"^--steps 1: no step would be about"):
        train(uniact_settings(data, tmp_path / "run", steps=1))


def test_turns_are_as_the_flag_weighs_them(data, tmp_path):
    weights = (1.0, 4.0)
    found = curves(train(uniact_settings(data, tmp_path / "run", mixture=weights, steps=12, log_every=1)))
    robots = Mixture(weights, seed=0, steps=12).robots
    assert not np.array_equal(robots, Mixture((1.0, 1.0), seed=0, steps=12).robots)
    for i, robot in enumerate(SIZES):
        steps = [step for step, _ in found[f"loss/{robot}/huber"]]
        assert steps == (np.flatnonzero(robots == i) + 1).tolist() != []


def test_a_camera_that_no_robot_has_is_refused(data, tmp_path):
    cameras = ("top", "agentview", "angel")
    with pytest.raises(UsageError, match="no data have images of angel"):
        train(uniact_settings(data, tmp_path / "run", model={"cameras": cameras}))


def test_a_mixture_keeps_its_weights_and_its_past():
    one, longer = Mixture((1, 3), seed=5, steps=4000), Mixture((1, 3), seed=5, steps=6000)
    assert np.array_equal(one.robots, longer.robots[:4000])
    assert one.turns(0) + one.turns(1) == 4000 and one.turns(1) == pytest.approx(3000, abs=100)
    assert one.turns(1, before=10) == int(one.robots[:10].sum())
    assert not np.array_equal(one.robots, Mixture((1, 3), seed=6, steps=4000).robots)


def test_a_mixture_of_one_is_that_one():
    assert not Mixture((2.0,), seed=0, steps=9).robots.any()


@pytest.fixture(scope="module")
def ranks(data, tmp_path_factory):
    """A folder with the runs "one", of one process, and "two", of two with half of the batch each."""
    folder = tmp_path_factory.mktemp("ranks")
    flags = (
        "--policy uniact --preset tiny --steps 5 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        "--validation-fraction 0 --chunk-size 1 --scratch.layers 1 --temperature-start 0.001 --temperature-end 0.001 "
        "--d-model 32 --feedforward 48 --backbone-width 8 --learning-rate 0.001 --schedule constant --log-every 1"
    ).split()
    words = [*flags, "--data", *map(str, data), "--output-dir"]
    with pytest.raises(SystemExit) as left:
        main([*words, str(folder / "one"), "--batch-size", "8"])
    assert left.value.code == 0
    train_on_two_ranks([*words, folder / "two", "--batch-size", 4])
    return folder


def test_two_ranks_are_about_the_same_robot_at_each_step(ranks):
    """Were they not, an interpreter would learn from half of a batch, and its weights would be others."""
    one, two = (tensors(ranks / name, 5)["model.safetensors"] for name in ("one", "two"))
    assert one.keys() == two.keys() and all(torch.isfinite(value).all() for value in two.values())
    for robot in SIZES:
        name = f"model.domains.{robot}.interpreter.head.bias"
        assert torch.allclose(one[name], two[name], atol=2e-3) and one[name].abs().max() > 2e-3


def test_two_ranks_end_with_the_same_weights(ranks):
    """On the way uniact_ranks.py looked after each step that the other robot's part was left alone."""
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


def test_the_log_has_the_losses_of_each_robot(ranks):
    robots = Mixture((1.0, 1.0), seed=0, steps=5).robots
    for name in ("one", "two"):
        found = curves(ranks / name)
        for i, robot in enumerate(SIZES):
            own = found[f"loss/{robot}/huber"]
            assert [step for step, _ in own] == (np.flatnonzero(robots == i) + 1).tolist()
            assert set(own) <= set(found["loss/huber"])
        assert not [tag for tag in found if tag.count("gradient_norm") and tag != "gradient_norm"]
