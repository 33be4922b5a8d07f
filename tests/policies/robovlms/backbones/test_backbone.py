"""Sequences of tokens, and prompts, without transformers."""

import pytest
import torch

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.robovlms.backbones.backbone import Kind, TokenSequence
from ambidex.policies.robovlms.backbones.registry import make_backbone

TEXTS = ("pick up the cube", "insert the peg into the socket")


def make_scratch(size="tiny", discrete=False):
    torch.manual_seed(0)
    return make_backbone("scratch", size, TEXTS, discrete=discrete)


def sequence(*kinds):
    values = torch.arange(len(kinds[0]), dtype=torch.float32).expand(len(kinds), -1)[..., None]
    return TokenSequence(embeddings=values, kinds=torch.tensor(kinds))


def test_joined_sequences_are_padded_at_the_end():
    joined = TokenSequence.joined(sequence([1, 1, 0], [1, 0, 0]), sequence([2, 2], [2, 2]), sequence([3], [3]))
    assert joined.kinds.tolist() == [[1, 1, 2, 2, 3, 0], [1, 2, 2, 3, 0, 0]]
    assert joined.embeddings[..., 0].tolist() == [[0, 1, 0, 1, 0, 2], [0, 0, 1, 0, 1, 2]]
    assert joined.length == 6


def test_states_of_a_kind_are_selected_in_order():
    joined = sequence([3, 1, 3, 0], [1, 3, 2, 3])
    states = torch.arange(8.0).reshape(2, 4, 1)
    assert joined.select(states, Kind.LEARNED, 2)[..., 0].tolist() == [[0, 2], [5, 7]]


def test_a_prompt_has_every_image_and_the_instruction():
    backbone = make_scratch()
    images = torch.ones(2, 2, backbone.image_tokens, backbone.hidden_size)
    lengths = [len(backbone.prompt(text).after) for text in TEXTS]
    assert lengths[0] != lengths[1]
    kinds = backbone.assemble(images, TEXTS).kinds.tolist()
    for row, length in zip(kinds, lengths, strict=True):
        assert row[: 2 * backbone.image_tokens] == [Kind.IMAGE] * 2 * backbone.image_tokens
        padding = max(lengths) - length
        assert row.count(Kind.TEXT) == length and row[len(row) - padding :] == [Kind.PADDING] * padding


def test_in_evaluation_mode_the_length_does_not_depend_on_the_batch():
    backbone = make_scratch()
    images = torch.ones(1, 1, backbone.image_tokens, backbone.hidden_size)
    lengths = {mode: [backbone.train(mode).assemble(images, [text]).length for text in TEXTS] for mode in (True, False)}
    assert lengths[True][0] < lengths[True][1] == lengths[False][0] == lengths[False][1]


def test_too_long_prompts_and_sequences_are_refused():
    backbone = make_scratch()
    with pytest.raises(UsageError) as caught:
        backbone.prompt("x y" * 2000)
    assert caught.value.facts["expected"] == backbone.context < caught.value.facts["got"]
    length = backbone.context + 1
    with pytest.raises(UsageError, match=str(length)):
        backbone(TokenSequence.of(torch.zeros(1, length, backbone.hidden_size), Kind.TEXT))


def test_instructions_of_the_data_are_tokenised_once(monkeypatch):
    backbone = make_scratch()
    images = torch.ones(2, 1, backbone.image_tokens, backbone.hidden_size)
    expected = backbone.assemble(images, TEXTS)
    monkeypatch.setattr(backbone, "prompt", None)
    assert torch.equal(backbone.assemble(images, TEXTS).embeddings, expected.embeddings)


def test_ids_of_actions_are_none_of_the_prompts():
    backbone = make_scratch(discrete=True)
    actions = backbone.action_ids(256)
    assert len(set(actions)) == 256 and actions == sorted(actions) and max(actions) == backbone.vocabulary - 1
    used = {id_ for text in TEXTS for id_ in backbone.prompt(text).after}
    assert not used & set(actions)


def test_unknown_names_and_sizes_are_refused():
    with pytest.raises(UnknownNameError, match="scratch"):
        make_backbone("bert", "tiny", TEXTS)
    with pytest.raises(UnknownNameError, match="base, tiny"):
        make_scratch("huge")


@pytest.mark.parametrize("size", ["tiny", "base"])
def test_tokens_of_images_are_at_first_as_large_as_words_and_positions(size):
    """Larger ones would hide their position in the image, because layers normalise the sum of token and position."""
    torch.manual_seed(0)
    backbone = make_scratch(size)
    with torch.no_grad():
        images = torch.randint(0, 256, (2, 3, 60, 80), dtype=torch.uint8)
        tokens = backbone.encode_images(backbone.image_processor(images))
    for table in (backbone.text.words, backbone.text.positions):
        assert 0.5 < tokens.std() / table.weight.std() < 2
