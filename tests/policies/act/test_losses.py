import dataclasses

import pytest
import torch
from act_samples import CHUNK, JOINTS, losses, make_batch, make_policy
from torch.distributions import Normal, kl_divergence

from ambidex.policies.act.model import Gaussian
from ambidex.policies.act.policy import masked_l1


def test_what_lies_beyond_the_end_changes_no_loss():
    policy, batch = make_policy(observations="state"), make_batch()
    elsewhere = torch.where(batch.is_pad[..., None], batch.actions + 100, batch.actions)
    assert batch.is_pad.any()
    before, after = losses(policy, batch), losses(policy, dataclasses.replace(batch, actions=elsewhere))
    for name in ("loss", "l1", "kl"):
        torch.testing.assert_close(before[name], after[name], rtol=1e-5, atol=0)


def test_what_lies_within_changes_the_loss():
    policy, batch = make_policy(observations="state"), make_batch()
    elsewhere = torch.where(batch.is_pad[..., None], batch.actions, batch.actions + 1)
    before, after = losses(policy, batch), losses(policy, dataclasses.replace(batch, actions=elsewhere))
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


def test_divergence_is_summed_over_dimensions_and_averaged_over_samples():
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(-1).mean()
    torch.testing.assert_close(Gaussian(mean=mean, log_variance=log_variance).divergence(), expected)


def test_a_draw_has_the_mean_and_the_variance():
    torch.manual_seed(0)
    shape = (20_000, 2)
    draw = Gaussian(mean=torch.full(shape, 3.0), log_variance=torch.full(shape, 4.0).log()).sample()
    torch.testing.assert_close(draw.mean(0), torch.full((2,), 3.0), rtol=0, atol=0.06)
    torch.testing.assert_close(draw.std(0), torch.full((2,), 2.0), rtol=0, atol=0.06)


@pytest.mark.parametrize("weight", [0.0, 10.0])
def test_the_loss_is_the_weighted_sum(weight):
    terms = losses(make_policy(observations="state", kl_weight=weight, padding_weight=0.3), make_batch())
    torch.testing.assert_close(terms["loss"], terms["l1"] + weight * terms["kl"] + 0.3 * terms["padding"])


def test_without_weight_there_is_no_padding_head():
    policy = make_policy(observations="state")
    assert set(losses(policy, make_batch())) == {"loss", "l1", "kl"}
    assert not [name for name, _ in policy.named_parameters() if "padding" in name]


@pytest.mark.parametrize("observations", ["state", "images"])
def test_losses_in_bf16_are_float32_and_near_those_in_full_precision(observations):
    policy, batch = make_policy(observations=observations), make_batch()
    exact = losses(policy, batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = losses(policy, batch)
    for name, value in rounded.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, exact[name], rtol=0.05, atol=0.01)


@pytest.mark.parametrize("observations", ["state", "images"])
def test_one_batch_can_be_learnt_by_heart(observations):
    policy, batch = make_policy(observations=observations, cameras=("top",), d_model=64), make_batch(4)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=2e-3)
    first = losses(policy, batch)["l1"].item()
    for step in range(150):
        optimizer.zero_grad()
        losses(policy, batch, seed=step)["loss"].backward()
        optimizer.step()
    predicted = policy.eval().predict(batch.observation)
    learnt = masked_l1(policy.actions(predicted), policy.actions(batch.actions), batch.is_pad)
    assert learnt < 0.15 * first
