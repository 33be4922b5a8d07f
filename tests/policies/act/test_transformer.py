import math

import pytest
import torch
from torch import nn

from ambidex.policies.act.transformer import Attention, DecoderLayer, EncoderLayer, image_positions, sequence_positions

D, HEADS = 32, 4


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def randomised(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def torch_attention(attention):
    """torch's own module with the same weights."""
    theirs = nn.MultiheadAttention(D, HEADS, batch_first=True)
    state = {"in_proj_weight": attention.in_weight, "in_proj_bias": attention.in_bias}
    theirs.load_state_dict({**state, "out_proj.weight": attention.out.weight, "out_proj.bias": attention.out.bias})
    return theirs


def test_attention_is_torch_s_own():
    attention = randomised(Attention(D, HEADS, 0.1)).eval()
    query, key, value = torch.randn(2, 5, D), torch.randn(2, 7, D), torch.randn(2, 7, D)
    counts = torch.rand(2, 7) > 0.4
    counts[:, 0] = True
    expected, _ = torch_attention(attention)(query, key, value, key_padding_mask=~counts)
    torch.testing.assert_close(attention(query, key, value, counts[:, None, None]), expected)


@pytest.mark.parametrize("masked", [True, False])
def test_attention_by_hand_is_the_fused_one(masked):
    attention = Attention(D, HEADS, 0.1).eval()
    q, k, v = torch.randn(2, HEADS, 5, 8), torch.randn(2, HEADS, 7, 8), torch.randn(2, HEADS, 7, 8)
    mask = (torch.arange(7) < 4).expand(2, 1, 1, 7) if masked else None
    by_hand = attention._mix_by_hand(q, k, v, mask)
    torch.testing.assert_close(by_hand, attention._mix(q, k, v, mask))


def test_training_on_a_cpu_attends_alike_but_for_dropout():
    attention = randomised(Attention(D, HEADS, 0.1))
    x = torch.randn(1, 6, D)
    mean = torch.stack([attention.train()(x, x, x) for _ in range(4000)]).mean(0)
    torch.testing.assert_close(mean, attention.eval()(x, x, x), rtol=0, atol=0.05)


def test_positions_join_queries_and_keys_but_not_values():
    layer = randomised(EncoderLayer(D, HEADS, 48, 0.0))
    alike = torch.randn(1, 1, D).expand(1, 6, D)  # whatever is attended to has the same value
    torch.testing.assert_close(layer(alike, torch.randn(6, D)), layer(alike, torch.zeros(6, D)))
    tokens = torch.randn(1, 6, D)
    assert not torch.allclose(layer(tokens, torch.randn(6, D)), layer(tokens, torch.zeros(6, D)))


def test_an_encoder_layer_is_torch_s_own():
    layer = randomised(EncoderLayer(D, HEADS, 48, 0.0))
    theirs = nn.TransformerEncoderLayer(D, HEADS, 48, 0.0, batch_first=True)
    theirs.self_attn = torch_attention(layer.attention)
    theirs.linear1, theirs.linear2 = layer.feedforward.linear1, layer.feedforward.linear2
    theirs.norm1, theirs.norm2 = layer.norm1, layer.norm2
    tokens = torch.randn(2, 6, D)
    torch.testing.assert_close(layer(tokens, torch.zeros(6, D)), theirs(tokens))


def test_tokens_that_are_wanted_come_out_as_among_all():
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


def test_positions_in_a_row_follow_the_paper():
    positions = sequence_positions(10, 8)
    for place in (0, 3, 9):
        for i in range(4):
            angle = place / 10_000 ** (2 * i / 8)
            assert positions[place, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert positions[place, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_positions_in_an_image_end_at_a_full_turn():
    positions = image_positions(3, 5, 16).view(3, 5, 16)
    for row in range(3):
        for column in range(5):
            assert positions[row, column, 0] == pytest.approx(math.sin((row + 1) / 3 * 2 * math.pi), abs=1e-5)
            assert positions[row, column, 9] == pytest.approx(math.cos((column + 1) / 5 * 2 * math.pi), abs=1e-5)
    angle = 2 / 3 * 2 * math.pi / 10_000 ** (2 / 8)  # second row, second wavelength
    assert positions[1, 4, 2] == pytest.approx(math.sin(angle), abs=1e-5)
    assert len(torch.unique(positions.flatten(0, 1).round(decimals=4), dim=0)) == 15
