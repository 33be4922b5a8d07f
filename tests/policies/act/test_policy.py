import dataclasses

import pytest
import torch
from act_samples import (
    CAMERAS,
    CHUNK,
    JOINTS,
    losses,
    make_batch,
    make_observation,
    make_policy,
    make_statistics,
    open_gates,
)
from synthetic_episode import make_spec
from torch.distributions import Normal, kl_divergence

from ambidex.errors import UsageError
from ambidex.policies.act.model import Gaussian
from ambidex.policies.act.policy import cameras_of, masked_l1

KINDS = [{"observations": "state"}, {"cameras": CAMERAS}, {"cameras": CAMERAS, "camera_attention": True}]
CONFIGURATIONS = {
    "state": {"observations": "state"},
    "images": {"cameras": ("top",)},
    "several cameras": {"cameras": CAMERAS},
    "frozen batch norm": {"cameras": ("top",), "backbone_norm": "frozen"},
    "group norm": {"cameras": ("top",), "backbone_norm": "group"},
    "pooled": {"cameras": CAMERAS, "camera_tokens": "pooled"},
    "camera attention": {"cameras": CAMERAS, "camera_attention": True},
    "three decoder layers": {"observations": "state", "decoder_layers": 3},
    "one CVAE layer": {"observations": "state", "cvae_layers": 1},
    "padding loss": {"observations": "state", "padding_weight": 0.1},
}


@pytest.mark.parametrize("changes", KINDS)
def test_a_prediction_is_a_chunk_and_not_random(changes):
    policy, observation = make_policy(**changes, dropout=0.5).eval(), make_observation()
    torch.manual_seed(1)
    first = policy.predict(observation)
    assert first.shape == (3, CHUNK, JOINTS)
    assert not first.requires_grad
    torch.manual_seed(2)
    assert torch.equal(policy.predict(observation), first)


@pytest.mark.parametrize("changes", KINDS)
def test_a_prediction_does_not_depend_on_the_rest_of_the_batch(changes):
    policy, observation = make_policy(**changes).eval(), make_observation(3)
    alone = dataclasses.replace(
        observation,
        qpos=observation.qpos[:1],
        objects=observation.objects[:1],
        images={camera: image[:1] for camera, image in observation.images.items()},
        instructions=("insert",),
    )
    torch.testing.assert_close(policy.predict(alone), policy.predict(observation)[:1], rtol=1e-4, atol=1e-4)


def test_a_state_dict_is_complete():
    policy = make_policy(observations="state").eval()
    other = make_policy(observations="state", seed=9, statistics=make_statistics(seed=5)).eval()
    observation = make_observation()
    assert not torch.equal(other.predict(observation), policy.predict(observation))
    other.load_state_dict(policy.state_dict())
    assert torch.equal(other.predict(observation), policy.predict(observation))


def test_predictions_are_in_the_units_of_the_actions():
    policy, observation = make_policy(observations="state").eval(), make_observation()
    before = policy.predict(observation)
    policy.actions.mean += 10.0
    torch.testing.assert_close(policy.predict(observation), before + 10.0)


def test_predictions_depend_on_the_inputs_only():
    policy = make_policy(cameras=CAMERAS).eval()
    assert policy.inputs.cameras == CAMERAS
    assert not policy.inputs.objects
    observation = make_observation()
    before = policy.predict(observation)
    for camera in CAMERAS:
        changed = {**observation.images, camera: 255 - observation.images[camera]}
        assert not torch.allclose(policy.predict(dataclasses.replace(observation, images=changed)), before)
    blind = dataclasses.replace(observation, objects=torch.empty(3, 0))
    assert torch.equal(policy.predict(blind), before)


def test_state_observations_use_object_poses_and_no_images():
    policy = make_policy(observations="state").eval()
    assert policy.inputs.cameras == ()
    assert policy.inputs.objects
    observation = dataclasses.replace(make_observation(), images={})
    moved = dataclasses.replace(observation, objects=observation.objects + 1)
    assert not torch.allclose(policy.predict(moved), policy.predict(observation))


def test_the_backbone_is_called_once_for_all_cameras():
    policy, calls = make_policy(cameras=CAMERAS).eval(), []
    policy.model.cameras.backbone.register_forward_hook(lambda module, given, made: calls.append(given[0]))
    policy.predict(make_observation(2))
    (images,) = calls
    assert images.shape == (2 * len(CAMERAS), 3, 48, 64)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_images_of_another_size_work():
    policy, observation = make_policy(cameras=("top",), camera_attention=True).eval(), make_observation(1)
    larger = dataclasses.replace(observation, images={"top": torch.zeros(1, 3, 70, 130, dtype=torch.uint8)})
    assert policy.predict(larger).shape == (1, CHUNK, JOINTS)


def test_the_default_cameras_are_those_of_the_data():
    policy = make_policy(cameras=("top", "left_wrist"))
    assert cameras_of(policy.config, policy.spec) == ("top", "left_wrist")
    chosen = dataclasses.replace(policy.config, cameras=("left_wrist",))
    assert cameras_of(chosen, policy.spec) == ("left_wrist",)


@pytest.mark.parametrize(("cameras", "available"), [(("angle",), ("top",)), ((), ())])
def test_cameras_that_are_not_in_the_data_are_refused(cameras, available):
    config = dataclasses.replace(make_policy().config, cameras=cameras)
    with pytest.raises(UsageError) as caught:
        cameras_of(config, make_spec(cameras=available))
    assert caught.value.facts["field"] == "cameras"


@pytest.mark.parametrize("changes", [{"observations": "state"}, {"cameras": CAMERAS, "camera_attention": True}])
def test_the_losses_compile_into_one_graph(changes):
    policy, batch = make_policy(**changes, dropout=0.1).train(), make_batch()
    compiled = torch.compile(policy.losses, backend="eager", fullgraph=True)
    assert torch.isfinite(compiled(batch)["loss"])


def test_actions_beyond_the_end_change_no_loss():
    policy, batch = make_policy(observations="state"), make_batch()
    moved = torch.where(batch.is_pad[..., None], batch.actions + 100, batch.actions)
    assert batch.is_pad.any()
    before, after = losses(policy, batch), losses(policy, dataclasses.replace(batch, actions=moved))
    for name in ("loss", "l1", "kl"):
        torch.testing.assert_close(before[name], after[name], rtol=1e-5, atol=0)


def test_actions_within_the_episode_change_the_losses():
    policy, batch = make_policy(observations="state"), make_batch()
    moved = torch.where(batch.is_pad[..., None], batch.actions, batch.actions + 1)
    before, after = losses(policy, batch), losses(policy, dataclasses.replace(batch, actions=moved))
    assert before["l1"] != after["l1"]
    assert before["kl"] != after["kl"]


def test_l1_is_the_mean_over_valid_elements():
    predicted, actions = torch.zeros(2, CHUNK, JOINTS), torch.full((2, CHUNK, JOINTS), 3.0)
    actions[1] = 5.0
    is_pad = torch.zeros(2, CHUNK, dtype=torch.bool)
    is_pad[1, 2:] = True
    expected = (3.0 * CHUNK + 5.0 * 2) / (CHUNK + 2)
    torch.testing.assert_close(masked_l1(predicted, actions, is_pad), torch.tensor(expected))


def test_l1_of_nothing_but_padding_is_zero():
    ones = torch.ones(1, CHUNK, JOINTS)
    assert masked_l1(0 * ones, ones, torch.ones(1, CHUNK, dtype=torch.bool)) == 0


def test_the_divergence_is_summed_over_dimensions_and_averaged_over_samples():
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(-1).mean()
    torch.testing.assert_close(Gaussian(mean=mean, log_variance=log_variance).divergence(), expected)


def test_samples_have_the_mean_and_the_variance():
    torch.manual_seed(0)
    shape = (20_000, 2)
    samples = Gaussian(mean=torch.full(shape, 3.0), log_variance=torch.full(shape, 4.0).log()).sample()
    torch.testing.assert_close(samples.mean(0), torch.full((2,), 3.0), rtol=0, atol=0.06)
    torch.testing.assert_close(samples.std(0), torch.full((2,), 2.0), rtol=0, atol=0.06)


@pytest.mark.parametrize("weight", [0.0, 10.0])
def test_the_loss_is_the_weighted_sum(weight):
    terms = losses(make_policy(observations="state", kl_weight=weight, padding_weight=0.3), make_batch())
    torch.testing.assert_close(terms["loss"], terms["l1"] + weight * terms["kl"] + 0.3 * terms["padding"])


def test_without_weight_there_is_no_padding_head():
    policy = make_policy(observations="state")
    assert set(losses(policy, make_batch())) == {"loss", "l1", "kl"}
    assert not [name for name, _ in policy.named_parameters() if "padding" in name]


@pytest.mark.parametrize("observations", ["state", "images"])
def test_losses_in_bf16_are_float32_and_close_to_those_in_float32(observations):
    policy, batch = make_policy(observations=observations), make_batch()
    exact = losses(policy, batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = losses(policy, batch)
    for name, value in rounded.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, exact[name], rtol=0.05, atol=0.01)


@pytest.mark.parametrize("observations", ["state", "images"])
def test_one_batch_can_be_overfitted(observations):
    policy, batch = make_policy(observations=observations, cameras=("top",), d_model=64), make_batch(4)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=2e-3)
    first = losses(policy, batch)["l1"].item()
    for step in range(150):
        optimizer.zero_grad()
        terms = losses(policy, batch, seed=step)
        terms["loss"].backward()
        optimizer.step()
        if terms["l1"].item() < 0.1 * first:
            break
    predicted = policy.eval().predict(batch.observation)
    final = masked_l1(policy.actions(predicted), policy.actions(batch.actions), batch.is_pad)
    assert final < 0.15 * first


def names_without_gradient(policy):
    return {
        name
        for name, parameter in policy.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    }


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_parameter_gets_a_gradient(changes):
    policy = make_policy(**changes)
    open_gates(policy)
    losses(policy, make_batch())["loss"].backward()
    assert not names_without_gradient(policy)


def test_with_closed_gates_only_the_gates_have_a_gradient():
    policy = make_policy(cameras=CAMERAS, camera_attention=True)
    losses(policy, make_batch())["loss"].backward()
    pairs = {name for name, _ in policy.named_parameters() if ".pairs." in name}
    assert names_without_gradient(policy) == {name for name in pairs if not name.endswith(".gate")}


@pytest.mark.parametrize("norm", ["frozen", "group", "layer"])
def test_backbone_parameters_are_those_of_resnet(norm):
    policy = make_policy(backbone_norm=norm)
    of_backbone = {id(parameter) for parameter in policy.backbone_parameters()}
    named = {name for name, parameter in policy.named_parameters() if id(parameter) in of_backbone}
    assert named == {name for name, _ in policy.named_parameters() if ".backbone." in name}
    assert named


def test_state_observations_need_no_backbone():
    assert not make_policy(observations="state").backbone_parameters()
