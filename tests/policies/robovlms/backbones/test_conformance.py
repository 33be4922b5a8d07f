"""Every backbone at its tiny size: it agrees with transformers, and keeps the promises of the interface."""

import inspect
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from backbone_references import (
    PRETRAINED,
    TEXTS,
    make_tiny,
    published_pixels,
    qwen_patches,
    random_images,
    reference_states,
)

from ambidex.errors import UsageError
from ambidex.policies.robovlms.backbones.backbone import Kind, TokenSequence
from ambidex.policies.robovlms.backbones.pretrained import BICUBIC
from ambidex.policies.robovlms.backbones.registry import BACKBONES, backbone_class, make_backbone
from ambidex.policies.vision_language.tokenizers import ByteTokenizer

pytest.importorskip("transformers", reason="pip install -e '.[robovlms]'")

ALL = sorted(BACKBONES.own)
TOLERANCE = {"atol": 2e-5, "rtol": 1e-4}


@pytest.fixture(scope="module", params=ALL)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def tiny(name):
    return make_tiny(name)


def tokens(backbone, images):
    return backbone.encode_images(backbone.image_processor(images))


def learned(backbone, rows):
    """One embedding after the prompt of each row."""
    value = torch.randn(backbone.hidden_size, generator=torch.Generator().manual_seed(3))
    return TokenSequence.of(value.expand(rows, 1, -1), Kind.LEARNED)


def observed(backbone, images, texts=TEXTS):
    """The sequence of one image for each text, with a readout after it."""
    prompts = backbone.assemble(tokens(backbone, images)[:, None], texts)
    return TokenSequence.joined(prompts, learned(backbone, len(texts)))


@contextmanager
def positions_of(backbone):
    """The position ids that the language model gets, which with rotary positions matter only relative to each other."""
    found = []
    hook = backbone.text_tower.register_forward_pre_hook(
        lambda module, arguments, named: found.append(named.get("position_ids")), with_kwargs=True
    )
    yield found
    hook.remove()


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("name", PRETRAINED, indirect=True)
@torch.no_grad()
def test_states_are_those_of_transformers(name, tiny, views):
    pixels = tiny.image_processor(random_images(views, 50, 30))
    prompt = tiny.prompt(TEXTS[0])
    sequence = tiny.assemble(tiny.encode_images(pixels)[None], TEXTS[:1])
    pieces = [prompt.before, *[prompt.between] * (views - 1), prompt.after]
    with positions_of(tiny) as positions:
        expected = reference_states(name, tiny, pieces, pixels)
        torch.testing.assert_close(tiny(sequence)[0, : len(expected)], expected, **TOLERANCE)
    theirs, ours = positions
    assert (theirs is None and ours is None) or torch.equal(theirs, ours[..., : len(expected)])


@pytest.mark.parametrize("name", PRETRAINED, indirect=True)
@torch.no_grad()
def test_a_learned_embedding_is_like_a_word_of_the_answer(name, tiny):
    pixels, prompt, word = tiny.image_processor(random_images(1)), tiny.prompt(TEXTS[0]), 300
    readout = TokenSequence.of(tiny.embed(torch.tensor([[word]])), Kind.LEARNED)
    sequence = TokenSequence.joined(tiny.assemble(tiny.encode_images(pixels)[None], TEXTS[:1]), readout)
    expected = reference_states(name, tiny, [prompt.before, (*prompt.after, word)], pixels, suffix=1)
    states = tiny(sequence)
    torch.testing.assert_close(states[0, : len(expected)], expected, **TOLERANCE)
    assert torch.equal(sequence.select(states, Kind.LEARNED, 1)[0, 0], states[0, len(expected) - 1])


@torch.no_grad()
def test_prompts_of_different_lengths_in_one_batch_give_what_each_gives_alone(tiny):
    images = tokens(tiny, random_images())[:, None]
    together = tiny.assemble(images, TEXTS)
    states = tiny(together)
    for row, text in enumerate(TEXTS):
        tiny.train()  # where sequences are not padded to the longest prompt of the data
        alone = tiny.assemble(images[row : row + 1], [text])
        tiny.eval()
        assert Kind.PADDING not in alone.kinds
        torch.testing.assert_close(tiny(alone)[0], states[row, : alone.length], **TOLERANCE)
    assert Kind.PADDING in together.kinds


@torch.no_grad()
def test_readouts_of_earlier_observations_do_not_depend_on_later_ones(tiny):
    first, second, other = (observed(tiny, random_images(2, seed=seed)) for seed in (1, 2, 3))
    found = [
        sequence.select(tiny(sequence), Kind.LEARNED, 2)
        for sequence in (TokenSequence.joined(first, second), TokenSequence.joined(first, other))
    ]
    torch.testing.assert_close(found[0][:, 0], found[1][:, 0], **TOLERANCE)
    assert not torch.allclose(found[0][:, 1], found[1][:, 1], atol=1e-3)


@torch.no_grad()
def test_the_readout_depends_on_image_and_instruction(tiny):
    images = random_images()
    cases = [observed(tiny, images[:1], TEXTS[:1]), observed(tiny, images[1:], TEXTS[:1])]
    cases.append(observed(tiny, images[:1], TEXTS[1:]))
    states = [case.select(tiny(case), Kind.LEARNED, 1) for case in cases]
    assert not torch.allclose(states[0], states[1], atol=1e-3) and not torch.allclose(states[0], states[2], atol=1e-3)


@torch.no_grad()
def test_states_in_bf16_are_near_those_in_float32(tiny):
    sequence = observed(tiny, random_images())
    with torch.autocast("cpu", torch.bfloat16):
        rounded = tiny(observed(tiny, random_images()))
    exact = sequence.select(tiny(sequence), Kind.LEARNED, 1)
    error = sequence.select(rounded.float(), Kind.LEARNED, 1) - exact
    assert error.norm() < 0.1 * exact.norm()


@pytest.mark.parametrize("name", PRETRAINED, indirect=True)
def test_square_images_are_prepared_as_by_the_published_processor(name, tiny):
    """Pillow rounds to whole brightness values twice. A bilinear filter differs by more than 1 of 255 on average."""
    images = F.interpolate(random_images(1, 20, 20).float(), (150, 150), mode="bicubic").clamp(0, 255).to(torch.uint8)
    ours, theirs = tiny.image_processor(images), published_pixels(name, tiny, images[0])
    if name == "qwen2_5_vl":
        ours = qwen_patches(ours)
    difference = 255 * min(tiny.image_std) * (ours - theirs)
    assert difference.abs().mean() < (0.3 if tiny.resample == BICUBIC else 0.6)


@pytest.mark.parametrize("size", [(480, 640), (1, 1), (224, 224), (90, 7)])
@torch.no_grad()
def test_images_of_any_size_give_the_tokens_of_the_backbone(tiny, size):
    found = tokens(tiny, random_images(2, *size))
    assert found.shape == (2, tiny.image_tokens, tiny.hidden_size) and torch.isfinite(found).all()
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_every_trained_parameter_gets_a_gradient(name):
    for discrete in (False, True):
        backbone = make_tiny(name, discrete=discrete).train()
        sequence = observed(backbone, random_images())
        states = sequence.select(backbone(sequence), Kind.LEARNED, 1)
        (backbone.logits(states, torch.arange(99)) if discrete else states).square().sum().backward()
        without = [
            key for key, p in backbone.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
        ]
        assert not without


def test_towers_and_words_are_parts_of_the_model(tiny):
    modules = set(tiny.modules())
    assert {tiny.model, tiny.text_tower, tiny.vision_tower, tiny.word_embedding} <= modules
    assert tiny.word_embedding in set(tiny.text_tower.modules()) and tiny.text_tower is not tiny.vision_tower
    assert tiny.word_embedding.weight.shape == (tiny.vocabulary, tiny.hidden_size)
    assert not set(tiny.text_tower.parameters()) & set(tiny.vision_tower.parameters())
    layers = [module for module in tiny.text_tower.modules() if isinstance(module, tiny.layer_classes)]
    assert len(layers) >= 2 and all(list(layer.parameters()) for layer in layers)


@torch.no_grad()
def test_tensors_and_tokenizer_of_a_checkpoint_complete_a_backbone(name, tiny):
    state = {key: value.clone() for key, value in tiny.state_dict().items()}
    assert len({value.data_ptr() for value in tiny.state_dict().values()}) == len(state)  # none is shared
    other = make_tiny(name, seed=1)
    other.use_tokenizer(ByteTokenizer([]))
    other.load_state_dict(state)
    other.load_tokenizer(tiny.tokenizer.to_json())
    sequences = [observed(backbone, random_images()) for backbone in (tiny, other)]
    assert torch.equal(tiny(sequences[0]), other(sequences[1]))


@torch.no_grad()
def test_one_position_after_the_other_gives_the_states_of_one_pass(tiny):
    """The second prompt is longer, so the first has padding between it and the words."""
    prompts = tiny.assemble(tokens(tiny, random_images())[:, None], TEXTS)
    words = tiny.embed(torch.tensor([[300, 301, 302], [303, 304, 305]]))
    together = TokenSequence.joined(prompts, TokenSequence.of(words, Kind.ACTION))
    expected = together.select(tiny(together), Kind.ACTION, 3)
    cache = tiny.make_cache()
    torch.testing.assert_close(tiny(prompts, cache), tiny(prompts), **TOLERANCE)
    seen, hook = [], tiny.text_tower.register_forward_pre_hook(lambda *_, **named: seen.append(1), with_kwargs=True)
    steps = [tiny(TokenSequence.of(words[:, i : i + 1], Kind.ACTION), cache) for i in range(3)]
    hook.remove()
    assert all(step.shape == (2, 1, tiny.hidden_size) for step in steps) and len(seen) == 3
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, **TOLERANCE)


@torch.no_grad()
def test_logits_are_scores_of_the_given_words(name):
    backbone = make_tiny(name, discrete=True)
    states, every = torch.randn(2, 3, backbone.hidden_size), torch.arange(backbone.vocabulary)
    scores = backbone.logits(states, every)
    assert scores.shape == (2, 3, backbone.vocabulary)
    torch.testing.assert_close(backbone.logits(states, every[5:9]), scores[..., 5:9])
    actions = backbone.action_ids(256)
    prompt = backbone.prompt(TEXTS[0])
    assert len(actions) == 256 and not set(actions) & {*prompt.before, *prompt.between, *prompt.after}


def test_a_prompt_longer_than_the_context_is_refused(tiny):
    with pytest.raises(UsageError) as caught:
        tiny.prompt("! " * tiny.context)
    assert caught.value.facts["expected"] == tiny.context


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_backbone_is_one_short_file(name):
    source = inspect.getsource(inspect.getmodule(backbone_class(name)))
    assert source.count("\n") < 120


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_published_size_has_the_parameters_of_the_published_model(name):
    kind = backbone_class(name)
    with torch.device("meta"):
        backbone = make_backbone(name, "published", TEXTS, discrete=True)
    assert sum(p.numel() for p in backbone.parameters()) == kind.sizes["published"].parameters > 4e8
    prompt = backbone.prompt(TEXTS[0])
    assert len(prompt.before) + len(prompt.after) + backbone.image_tokens < backbone.context / 4
    pixels = backbone.image_processor(torch.empty(2, 3, 480, 640, dtype=torch.uint8, device="meta"))
    assert pixels.shape == (2, 3, *[kind.sizes["published"].image_size] * 2)
