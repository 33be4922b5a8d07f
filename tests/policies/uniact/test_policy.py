import dataclasses

import pytest
import torch
from act_samples import make_batch, make_observation, make_statistics
from synthetic_episode import make_spec
from uniact_samples import CAMERAS, CHUNK, SMALL, make_config, make_policy

from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.serving.fixed_batch import make_fixed_batch
from ambidex.policies.uniact.policy import UniActPolicy

TWO = CAMERAS[:2]


def losses(policy, batch, seed=0):
    """With the same draw of codes each time."""
    torch.manual_seed(seed)
    return policy.train().losses(batch)


def with_instructions(observation, *instructions):
    return dataclasses.replace(observation, instructions=instructions)


def test_every_parameter_gets_a_gradient():
    policy = make_policy(cameras=TWO)
    losses(policy, make_batch(cameras=TWO))["loss"].backward()
    assert not [n for n, p in policy.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    d = 32
    for name, p in policy.named_parameters():  # query, key and value each
        if name.endswith(("in_weight", "query_key_value.weight")):
            assert (p.grad.view(3, d, d).abs().sum((1, 2)) > 0).all(), name
    assert (policy.model.codebook.codes.weight.grad.abs().sum(1) > 0).all()


def test_codes_get_gradients_from_the_actions_alone():
    policy = make_policy(cameras=TWO, uniform_weight=0.0)
    losses(policy, make_batch(cameras=TWO))["loss"].backward()
    assert policy.model.codebook.project.weight.grad.abs().sum() > 0
    assert policy.model.extractor.words.weight.grad.abs().sum() > 0


@pytest.mark.usefixtures("one_thread")
def test_one_batch_can_be_overfitted():
    one_layer = {"encoder_layers": 1, "decoder_layers": 1, "scratch": dataclasses.replace(SMALL["scratch"], layers=1)}
    policy = make_policy(cameras=TWO[:1], temperature_steps=30, **one_layer)
    batch = make_batch(4, cameras=TWO[:1])
    first = losses(policy, batch)["loss"].item()
    optimizer = torch.optim.AdamW(policy.parameters(), lr=3e-3)
    for step in range(400):
        optimizer.zero_grad()
        loss = losses(policy, batch, step)["loss"]
        loss.backward()
        optimizer.step()
        policy.on_step_end()
        if loss.item() < 0.009 * first:
            break
    assert loss.item() < 0.01 * first


def test_the_loss_has_the_weighted_divergence():
    terms = {w: losses(make_policy(uniform_weight=w), make_batch()) for w in (0.0, 5e-4, 2.0)}
    for weight, found in terms.items():
        assert found["loss"].item() == pytest.approx((found["huber"] + weight * found["divergence"]).item())
    assert terms[2.0]["divergence"] > 0


def test_the_loss_has_the_weighted_blind_loss_and_information():
    for weight in (0.0, 2.0):
        changes = {"blind_weight": weight, "information_weight": weight / 4, "uniform_weight": 0.0}
        found = losses(make_policy(**changes), make_batch())
        expected = found["huber"] + weight * found["blind"] - weight / 4 * found["information"]
        assert found["loss"].item() == pytest.approx(expected.item()) and (found["blind"] > 0) == (weight > 0)


def test_the_blind_loss_trains_the_codes_and_the_blind_interpreter_only():
    policy = make_policy(cameras=TWO, blind_weight=1.0)
    losses(policy, make_batch(cameras=TWO))["blind"].backward()
    trained = {name for name, parameter in policy.named_parameters() if parameter.grad is not None}
    assert trained and all(
        name.startswith(("model.extractor.", "model.codebook.")) or ".blind." in name for name in trained
    )


def test_perplexity_is_the_number_of_codes_that_a_batch_uses():
    policy, batch = make_policy(), make_batch(4)
    assert losses(policy, batch)["perplexity"] <= 4 + 1e-4
    with torch.no_grad():
        policy.model.codebook.project.bias[5] = 1e6
    assert losses(policy, batch)["perplexity"].item() == pytest.approx(1)


def test_actions_in_the_padding_change_no_loss():
    batch = make_batch()
    changed = dataclasses.replace(batch, actions=torch.where(batch.is_pad[..., None], 1e3, batch.actions))
    assert batch.is_pad.any()
    assert torch.equal(losses(make_policy(), batch)["huber"], losses(make_policy(), changed)["huber"])


def test_the_temperature_falls_in_training_steps_only():
    policy, batch = make_policy(cameras=TWO, temperature_steps=4), make_batch(cameras=TWO)
    found = []
    for _ in range(6):
        found.append(losses(policy, batch)["temperature"].item())
        policy.on_step_end()
    assert found == pytest.approx([2.0, 1.625, 1.25, 0.875, 0.5, 0.5])
    policy = make_policy(cameras=TWO)
    policy.train().losses(batch)
    policy.eval().losses(batch)
    policy.predict(batch.observation)
    assert policy.model.codebook.temperature.step == 0


def test_with_frozen_shared_modules_the_most_likely_codes_are_used():
    """Also without cached features: nothing is drawn, or losses of two seeds would differ."""
    policy, batch = make_policy(cameras=TWO), make_batch(cameras=TWO)
    assert batch.observation.cached_features is None
    found = [losses(policy, batch, seed)["huber"] for seed in (0, 1)]
    policy.freeze_shared()
    frozen = [losses(policy, batch, seed)["huber"] for seed in (0, 1)]
    assert torch.equal(*frozen) and not torch.equal(*found)


def test_the_blind_loss_is_hubers_with_delta_1():
    policy = make_policy(cameras=TWO, blind_weight=1.0)
    domain, batch = policy.model.domain(policy.embodiment), make_batch(cameras=TWO)
    for error, expected in ((0.5, 0.5**2 / 2), (3.0, 3.0 - 0.5)):  # a square, then a line
        with torch.no_grad():
            domain.blind.head.weight.zero_()
            domain.blind.head.bias.fill_(error)
        mean = dataclasses.replace(batch, actions=domain.actions.mean.expand_as(batch.actions))
        assert losses(policy, mean)["blind"].item() == pytest.approx(expected, rel=1e-4)


def test_evaluation_mode_draws_nothing():
    policy, batch = make_policy().eval(), make_batch()
    before = torch.get_rng_state()
    with torch.no_grad():
        assert torch.equal(policy.losses(batch)["loss"], policy.losses(batch)["loss"])
    assert torch.equal(policy.predict(batch.observation), policy.predict(batch.observation))
    assert torch.equal(torch.get_rng_state(), before)


def test_predictions_are_in_the_units_of_the_data():
    policy = make_policy().eval()
    chunk = policy.predict(make_observation())
    assert chunk.shape == (3, CHUNK, 14) and not chunk.requires_grad
    domain = policy.model.domain(policy.embodiment)
    with torch.no_grad():
        for parameter in domain.interpreter.head.parameters():
            parameter.zero_()
    assert torch.allclose(policy.predict(make_observation()), domain.actions.mean.expand(3, CHUNK, -1))


def test_the_instruction_affects_the_actions_through_the_code():
    policy, batch = make_policy().eval(), make_observation(2)
    with torch.no_grad():
        policy.model.codebook.project.weight.mul_(100)
    one, two = with_instructions(batch, "insert", "insert"), with_instructions(batch, "insert", "open the drawer")
    (first, codes), (second, others) = policy.predict_with_codes(one), policy.predict_with_codes(two)
    assert torch.equal(first[0], second[0]) and codes[0] == others[0]
    changed = codes[1] != others[1]
    assert torch.equal(first[1], second[1]) != changed


def test_a_fixed_code_is_used_for_every_instruction():
    policy, batch = make_policy().eval(), make_observation(2)
    policy.code = 3
    chunk, codes = policy.predict_with_codes(batch)
    assert codes.tolist() == [3, 3]
    assert torch.equal(chunk, policy.predict(with_instructions(batch, "stop", "go on")))
    policy.code = 4
    assert not torch.allclose(chunk, policy.predict(batch))
    policy.code = 16
    with pytest.raises(UsageError) as caught:
        policy.predict(batch)
    assert caught.value.facts["expected"] == 16


def test_a_policy_of_many_tasks_can_be_served():
    tasks = ("insert the peg", "open the drawer of the cabinet", *(f"put object number {i} away" for i in range(60)))
    spec = make_spec(cameras=("top",), image_size=(48, 64), instruction="; ".join(tasks))
    _, notes = make_fixed_batch(UniActPolicy(make_config(), spec, make_statistics()).eval(), torch.device("cpu"))
    assert notes == ()


def test_the_extractor_uses_the_main_camera():
    policy = make_policy(main_camera="right_wrist").eval()
    assert policy.inputs.cameras == CAMERAS
    batch = make_observation()
    features = policy.model.extractor(batch.images["right_wrist"], batch.instructions)
    assert torch.equal(policy.predict_with_codes(batch)[1], policy.model.codebook(features, "argmax").codes)


def test_the_main_camera_need_not_be_one_of_the_interpreter():
    config = make_config(cameras=("left_wrist",), main_camera="top")
    policy = UniActPolicy(config, make_spec(cameras=CAMERAS, image_size=(48, 64)), make_statistics())
    assert policy.inputs == PolicyInputs(cameras=("left_wrist", "top"), objects=False, instruction=True)
    assert policy.model.domain(policy.embodiment).cameras == ("left_wrist",)
    assert policy.eval().predict(make_observation(cameras=("left_wrist", "top"))).shape == (3, CHUNK, 14)


def test_data_without_images_or_without_the_main_camera_is_refused():
    with pytest.raises(NoImagesError):
        make_policy(cameras=())
    with pytest.raises(UsageError) as caught:
        make_policy(main_camera="angle")
    assert caught.value.facts == {"field": "main_camera", "got": "angle", "expected": CAMERAS}


def test_backbone_parameters_are_those_of_resnet():
    policy = make_policy()
    of_backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    assert of_backbone == {id(p) for name, p in policy.named_parameters() if ".backbone." in name}
