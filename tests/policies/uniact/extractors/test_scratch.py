import pytest
import torch
from extractor_checks import (
    TEXTS,
    check_gradients,
    check_independence_of_other_prompts,
    check_inputs_matter,
    random_images,
)

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractors.scratch import ScratchExtractor
from ambidex.policies.vision.images import prepare_images
from ambidex.policies.vision_language.scratch import ScratchShape
from ambidex.policies.vision_language.tokenizers import ByteTokenizer


def make_extractor(seed=0, **shape):
    torch.manual_seed(seed)
    return ScratchExtractor(ScratchShape(**{"image_size": 32, "width": 32, "layers": 2, **shape}), TEXTS)


def test_the_tiny_preset_has_a_few_hundred_thousand_parameters():
    assert 200_000 < sum(p.numel() for p in make_extractor(image_size=96, width=96, layers=3).parameters()) < 600_000


def test_features_depend_on_image_and_instruction():
    check_inputs_matter(make_extractor())


def test_features_do_not_depend_on_other_prompts():
    check_independence_of_other_prompts(make_extractor())


def test_the_features_are_the_state_at_the_last_real_token():
    extractor, images = make_extractor().eval(), random_images()
    captured = {}
    extractor.norm.register_forward_hook(lambda module, inputs, output: captured.update(state=inputs[0]))
    extractor.layers[-1].register_forward_hook(lambda module, inputs, output: captured.update(states=output))
    extractor(images, TEXTS)
    lengths = [len(extractor.tokenizer.encode(text)) + 1 for text in TEXTS]
    expected = [captured["states"][i, extractor.cells + length - 1] for i, length in enumerate(lengths)]
    assert lengths[0] != lengths[1] and torch.equal(captured["state"], torch.stack(expected))


def test_in_evaluation_mode_the_length_of_prompts_does_not_depend_on_the_batch():
    extractor, device = make_extractor(), torch.device("cpu")
    longest = len(extractor.prompt(TEXTS[1]))
    assert extractor.train().prompts(TEXTS[:1], device).ids.shape == (1, len(extractor.prompt(TEXTS[0])))
    assert len(extractor.prompt(TEXTS[0])) < longest
    for texts in (TEXTS[:1], TEXTS[1:], TEXTS):
        assert extractor.eval().prompts(texts, device).ids.shape == (len(texts), longest)
    extractor.load_tokenizer(ByteTokenizer([]).to_json())
    assert extractor.prompts(TEXTS[:1], device).ids.shape == (1, len(TEXTS[1]) + 1)  # every byte an id, and the end


def test_every_parameter_gets_a_gradient():
    extractor = make_extractor()
    assert check_gradients(extractor) == dict(extractor.named_parameters()).keys()


def test_features_in_bf16_are_finite():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(make_extractor()(random_images(), TEXTS)).all()


def test_a_long_instruction_is_refused():
    with pytest.raises(UsageError) as caught:
        make_extractor()(random_images(1), ("x" * 300,))
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (301, 256)


@pytest.mark.parametrize("changes", [{"image_size": 40}, {"width": 33}, {"layers": 0}, {"vocabulary": 10}])
def test_sizes_that_do_not_go_together_are_refused(changes):
    with pytest.raises(UsageError, match=next(iter(changes))):
        ScratchShape(**changes)


def test_images_are_scaled_and_squeezed():
    flat = torch.full((1, 3, 6, 4), 255, dtype=torch.uint8)
    assert torch.allclose(prepare_images(flat, 8, "bicubic"), torch.ones(1, 3, 8, 8))
    same = random_images()[..., :24]
    assert torch.equal(prepare_images(same, 24, "bilinear"), same.float() / 127.5 - 1)
