import copy
import math

import pytest
import torch

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.uniact.codebook import SPREAD_WEIGHT, Codebook, Temperature, divergence_from_uniform, information

FEATURES, SIZE, WIDTH = 6, 16, 5


def make_codebook(start=2.0, end=0.5, steps=10):
    torch.manual_seed(0)
    return Codebook(FEATURES, SIZE, WIDTH, Temperature(start, end, steps))


def features(count=8, seed=1):
    return torch.randn(count, FEATURES, generator=torch.Generator().manual_seed(seed))


def test_the_published_sizes_have_the_published_parameters():
    codebook = Codebook(896, 256, 128, Temperature(2.0, 0.5, 1))
    assert sum(p.numel() for p in codebook.project.parameters()) == 229_632
    assert codebook.codes.weight.numel() == 32_768


@pytest.mark.parametrize(("done", "expected"), [(0, 2.0), (5, 1.25), (10, 0.5), (1000, 0.5)])
def test_the_temperature_falls_linearly_and_then_stays(done, expected):
    temperature = Temperature(2.0, 0.5, 10)
    for _ in range(done):
        temperature.advance()
    assert temperature().item() == pytest.approx(expected)


def test_the_temperature_is_in_the_state_dict():
    old, new = make_codebook(), Codebook(FEATURES, SIZE, WIDTH, Temperature(9.0, 9.0, 9))
    for _ in range(4):
        old.temperature.advance()
    new.load_state_dict(old.state_dict())
    assert new.temperature().item() == old.temperature().item() == pytest.approx(1.4)


def test_argmax_takes_one_code_and_draws_nothing():
    codebook = make_codebook()
    before = torch.get_rng_state()
    chosen = codebook(features(), "argmax")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(chosen.codes, codebook.project(features()).argmax(-1))
    assert torch.equal(chosen.actions, codebook.codes.weight[chosen.codes])


def test_gumbel_samples_follow_the_probabilities():
    codebook = make_codebook(1.0, 1.0)
    row = features(1)
    codes = codebook(row.expand(40_000, -1), "gumbel").codes
    found = torch.bincount(codes, minlength=SIZE) / len(codes)
    expected = codebook.project(row).softmax(-1)[0]
    assert torch.allclose(found, expected, atol=5 * (0.25 / 40_000) ** 0.5)  # five standard errors


def test_a_low_temperature_gives_one_code_and_a_high_one_a_mixture():
    cold, hot = make_codebook(1e-3, 1e-3), make_codebook(100.0, 100.0)
    chosen = cold(features(), "gumbel")
    assert torch.allclose(chosen.actions, cold.codes.weight[chosen.codes], atol=1e-4)
    assert torch.allclose(hot(features(), "gumbel").actions, hot.codes.weight.mean(0).expand(8, -1), atol=0.02)


def test_every_parameter_gets_a_gradient():
    codebook = make_codebook()
    x = features().requires_grad_()
    codebook(x, "gumbel").actions.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in (x, *codebook.parameters()))
    assert (codebook.codes.weight.grad.abs().sum(-1) > 0).all()  # all codes have weights


def test_the_divergence_from_uniform_is_exact():
    assert divergence_from_uniform(torch.full((3, SIZE), 7.0)).item() == pytest.approx(0, abs=1e-6)
    certain = torch.full((1, SIZE), -1e4)
    certain[0, 3] = 0.0
    assert divergence_from_uniform(certain).item() == pytest.approx(math.log(SIZE))
    half = torch.tensor([[0.0, 0.0, -1e4, -1e4]])
    assert divergence_from_uniform(torch.cat((half, torch.zeros(1, 4)))).item() == pytest.approx(math.log(2) / 2)


def test_the_gradient_of_the_divergence_leads_to_uniform_use():
    codebook = make_codebook()
    before = codebook(features(), "argmax").divergence
    before.backward()
    after = copy.deepcopy(codebook)
    for new, old in zip(after.project.parameters(), codebook.project.parameters(), strict=True):
        new.data -= 0.1 * old.grad
    assert after(features(), "argmax").divergence < before


def test_a_fixed_code_is_the_same_for_the_whole_batch():
    codebook = make_codebook()
    assert torch.equal(codebook.fixed_code(3, 4), codebook.codes.weight[3].expand(4, -1))
    for code in (-1, SIZE):
        with pytest.raises(UsageError) as caught:
            codebook.fixed_code(code, 1)
        assert (caught.value.facts["got"], caught.value.facts["expected"]) == (code, SIZE)


def test_an_unknown_mode_is_refused():
    with pytest.raises(UnknownNameError, match="argmax"):
        make_codebook()(features(), "argmin")


def test_autocast_changes_no_choice():
    codebook = make_codebook()
    plain = codebook(features(), "argmax")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = codebook(features(), "argmax")
    assert mixed.actions.dtype == torch.float32 and torch.equal(mixed.actions, plain.actions)


def test_information_is_largest_if_each_choice_is_certain_of_another_code():
    certain, uncertain = 100 * torch.eye(SIZE), torch.zeros(SIZE, SIZE)
    alike = certain[:1].expand(SIZE, -1)
    found = [information(logits).item() for logits in (certain, uncertain, alike)]
    assert found == pytest.approx([SPREAD_WEIGHT * math.log(SIZE), (SPREAD_WEIGHT - 1) * math.log(SIZE), 0], abs=1e-5)


@pytest.mark.parametrize("weight", [0.0, 2e-3])
def test_a_code_of_probability_zero_leaves_gradients_finite(weight):
    """In float32 its mean share is 0, where the entropy has an infinite slope."""
    codebook = make_codebook().train()
    with torch.no_grad():
        codebook.project.bias[3] = -150.0
    x = features().requires_grad_()
    assert (codebook.project(x).softmax(-1).mean(0) == 0).any()
    chosen = codebook(x, "gumbel")
    loss = chosen.actions.square().sum() + 5e-4 * chosen.divergence - weight * chosen.information
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(value.grad).all() for value in (x, *codebook.parameters()))
