import pytest
import torch
from extractor_laws import (
    TEXTS,
    check_a_longer_neighbour_changes_nothing,
    check_seen_and_said_both_matter,
    check_what_is_trained_gets_a_gradient,
    pictures,
)

from ambidex.errors import UsageError
from ambidex.policies.uniact.extractor.extractor import prepared
from ambidex.policies.uniact.extractor.scratch import ScratchExtractor, ScratchShape
from ambidex.policies.uniact.extractor.tokenizers import ByteTokenizer


def make_extractor(seed=0, **shape):
    torch.manual_seed(seed)
    return ScratchExtractor(ScratchShape(**{"image_size": 32, "width": 32, "layers": 2, **shape}), TEXTS)


def test_the_tiny_one_has_a_few_hundred_thousand_parameters():
    assert 200_000 < sum(p.numel() for p in make_extractor(image_size=96, width=96, layers=3).parameters()) < 600_000


def test_what_is_seen_and_what_is_said_both_matter():
    check_seen_and_said_both_matter(make_extractor())


def test_a_longer_neighbour_changes_nothing():
    check_a_longer_neighbour_changes_nothing(make_extractor())


def test_the_readout_is_the_last_real_token():
    extractor, images = make_extractor().eval(), pictures()
    seen = {}
    extractor.norm.register_forward_hook(lambda module, inputs, output: seen.update(readout=inputs[0]))
    extractor.layers[-1].register_forward_hook(lambda module, inputs, output: seen.update(states=output))
    extractor(images, TEXTS)
    lengths = [len(extractor.tokenizer.encode(text)) + 1 for text in TEXTS]
    expected = [seen["states"][i, extractor.cells + length - 1] for i, length in enumerate(lengths)]
    assert lengths[0] != lengths[1] and torch.equal(seen["readout"], torch.stack(expected))


def test_the_shape_of_a_batch_in_use_does_not_depend_on_who_asks():
    extractor, device = make_extractor(), torch.device("cpu")
    longest = len(extractor.prompt(TEXTS[1]))
    assert extractor.train().prompts(TEXTS[:1], device).ids.shape == (1, len(extractor.prompt(TEXTS[0])))
    assert len(extractor.prompt(TEXTS[0])) < longest
    for asked in (TEXTS[:1], TEXTS[1:], TEXTS):
        assert extractor.eval().prompts(asked, device).ids.shape == (len(asked), longest)
    extractor.read_tokenizer(ByteTokenizer([]).to_json())
    assert extractor.prompts(TEXTS[:1], device).ids.shape == (1, len(TEXTS[1]) + 1)  # every byte an id, and the end


def test_every_parameter_gets_a_gradient():
    extractor = make_extractor()
    assert check_what_is_trained_gets_a_gradient(extractor) == dict(extractor.named_parameters()).keys()


def test_it_runs_in_bf16():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(make_extractor()(pictures(), TEXTS)).all()


def test_what_is_too_long_is_refused():
    with pytest.raises(UsageError, match="256 at most"):
        make_extractor()(pictures(1), ("x" * 300,))


@pytest.mark.parametrize("changes", [{"image_size": 40}, {"width": 33}, {"layers": 0}, {"vocabulary": 10}])
def test_sizes_that_do_not_go_together_are_refused(changes):
    with pytest.raises(UsageError, match=next(iter(changes))):
        ScratchShape(**changes)


def test_pixels_are_scaled_and_squeezed():
    flat = torch.full((1, 3, 6, 4), 255, dtype=torch.uint8)
    assert torch.allclose(prepared(flat, 8, "bicubic"), torch.ones(1, 3, 8, 8))
    same = pictures()[..., :24]
    assert torch.equal(prepared(same, 24, "bilinear"), same.float() / 127.5 - 1)
