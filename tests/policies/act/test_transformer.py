import math

import pytest
import torch
from torch import nn

from ambidex.policies.act.transformer import (
    Attention,
    DecoderLayer,
    Dropout,
    EncoderLayer,
    image_positions,
    sequence_positions,
)

D, HEADS = 32, 4


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def randomised(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def torch_attention(attention):
    """torch's module with the same weights."""
    theirs = nn.MultiheadAttention(D, HEADS, batch_first=True)
    state = {"in_proj_weight": attention.in_weight, "in_proj_bias": attention.in_bias}
    theirs.load_state_dict({**state, "out_proj.weight": attention.out.weight, "out_proj.bias": attention.out.bias})
    return theirs


def test_attention_equals_that_of_torch():
    attention = randomised(Attention(D, HEADS, 0.1)).eval()
    query, key, value = torch.randn(2, 5, D), torch.randn(2, 7, D), torch.randn(2, 7, D)
    counts = torch.rand(2, 7) > 0.4
    counts[:, 0] = True
    expected, _ = torch_attention(attention)(query, key, value, key_padding_mask=~counts)
    torch.testing.assert_close(attention(query, key, value, counts[:, None, None]), expected)


@pytest.mark.parametrize("masked", [True, False])
def test_unfused_attention_equals_the_fused_one(masked):
    attention = Attention(D, HEADS, 0.1).eval()
    q, k, v = torch.randn(2, HEADS, 5, 8), torch.randn(2, HEADS, 7, 8), torch.randn(2, HEADS, 7, 8)
    mask = (torch.arange(7) < 4).expand(2, 1, 1, 7) if masked else None
    by_hand = attention._mix_unfused(q, k, v, mask)
    torch.testing.assert_close(by_hand, attention._mix(q, k, v, mask))


def test_the_mean_of_attention_with_dropout_is_attention_without():
    attention = randomised(Attention(D, HEADS, 0.1))
    x = torch.randn(1, 6, D)
    mean = torch.stack([attention.train()(x, x, x) for _ in range(4000)]).mean(0)
    torch.testing.assert_close(mean, attention.eval()(x, x, x), rtol=0, atol=0.05)


def test_positions_are_added_to_queries_and_keys_but_not_to_values():
    layer = randomised(EncoderLayer(D, HEADS, 48, 0.0))
    alike = torch.randn(1, 1, D).expand(1, 6, D)  # all values are the same
    torch.testing.assert_close(layer(alike, torch.randn(6, D)), layer(alike, torch.zeros(6, D)))
    tokens = torch.randn(1, 6, D)
    assert not torch.allclose(layer(tokens, torch.randn(6, D)), layer(tokens, torch.zeros(6, D)))


def test_an_encoder_layer_equals_that_of_torch():
    layer = randomised(EncoderLayer(D, HEADS, 48, 0.0))
    theirs = nn.TransformerEncoderLayer(D, HEADS, 48, 0.0, batch_first=True)
    theirs.self_attn = torch_attention(layer.attention)
    theirs.linear1, theirs.linear2 = layer.feedforward.linear1, layer.feedforward.linear2
    theirs.norm1, theirs.norm2 = layer.norm1, layer.norm2
    tokens = torch.randn(2, 6, D)
    torch.testing.assert_close(layer(tokens, torch.zeros(6, D)), theirs(tokens))


def test_the_first_tokens_computed_alone_equal_those_among_all():
    layer = randomised(EncoderLayer(D, HEADS, 48, 0.0))
    tokens, positions = torch.randn(2, 6, D), torch.randn(6, D)
    counts = (torch.arange(6) < 4).expand(2, 1, 1, 6)
    torch.testing.assert_close(
        layer(tokens, positions, counts, wanted=1), layer(tokens, positions, counts)[:, :1], rtol=1e-5, atol=1e-5
    )


def test_the_first_decoder_layer_of_the_original_is_ours_with_one_vector():
    """Its tokens are zero, so self-attention gives every query the same vector, whatever the queries are."""
    original = randomised(DecoderLayer(D, HEADS, 48, 0.0, first=False))
    ours = DecoderLayer(D, HEADS, 48, 0.0, first=True)
    ours.load_state_dict({name: value for name, value in original.state_dict().items() if name in ours.state_dict()})
    value_bias = original.attention.in_bias[2 * D :]
    start = original.norm1(original.attention.out(value_bias))  # (D,)
    memory, placed = torch.randn(2, 9, D), torch.randn(2, 9, D)
    for queries in (torch.randn(5, D), torch.randn(5, D)):
        expected = original(torch.zeros(2, 5, D), queries, memory, placed)
        torch.testing.assert_close(ours(start.expand(2, 5, D), queries, memory, placed), expected)


def test_sequence_positions_are_those_of_the_paper():
    positions = sequence_positions(10, 8)
    for place in (0, 3, 9):
        for i in range(4):
            angle = place / 10_000 ** (2 * i / 8)
            assert positions[place, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert positions[place, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_image_positions_end_at_a_full_turn():
    positions = image_positions(3, 5, 16).view(3, 5, 16)
    for row in range(3):
        for column in range(5):
            assert positions[row, column, 0] == pytest.approx(math.sin((row + 1) / 3 * 2 * math.pi), abs=1e-5)
            assert positions[row, column, 9] == pytest.approx(math.cos((column + 1) / 5 * 2 * math.pi), abs=1e-5)
    angle = 2 / 3 * 2 * math.pi / 10_000 ** (2 / 8)  # second row, second wavelength
    assert positions[1, 4, 2] == pytest.approx(math.sin(angle), abs=1e-5)
    assert len(torch.unique(positions.flatten(0, 1).round(decimals=4), dim=0)) == 15


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_drops_the_share_and_scales_the_rest_up(share, dtype):
    torch.manual_seed(0)
    out = Dropout(share)(torch.ones(501, 999, dtype=dtype)).float()
    dropped = round(share * 256) / 256
    assert (out == 0).float().mean().item() == pytest.approx(dropped, abs=0.003)
    assert out.unique().tolist() == [0.0, pytest.approx(1 / (1 - dropped), rel=0.01)]
    assert out.mean().item() == pytest.approx(1.0, abs=0.006)


def test_nothing_is_dropped_in_evaluation_mode_or_without_a_share():
    x = torch.randn(10, 10)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_dropout_depends_on_the_seed():
    def drop(seed):
        torch.manual_seed(seed)
        return Dropout(0.5)(torch.ones(13, 7))

    assert torch.equal(drop(1), drop(1))
    assert not torch.equal(drop(1), drop(2))


def test_gradients_pass_dropout_where_activations_do():
    x = torch.randn(40, 40, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad * x, out)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = Dropout(0.5)(torch.ones(100_000, 8)) > 0
    agreement = (kept[:, :1] == kept[:, 1:]).float().mean(0)
    torch.testing.assert_close(agreement, torch.full((7,), 0.5), rtol=0, atol=0.01)
