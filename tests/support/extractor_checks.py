"""Checks that every extractor of UniAct must pass."""

import json

import torch

from ambidex.policies.vision_language.tokenizers import FIRST_MERGED, SPECIALS

TEXTS = ("pick up the cube", "insert the peg into the socket")


def random_images(count=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 3, 24, 40), dtype=torch.uint8, generator=generator)


def decoded(tokenizer, ids):
    """Inverse of the `encode` of a `ByteTokenizer`; special tokens become their names."""
    merges = json.loads(tokenizer.to_json())["merges"]

    def content(id_):
        if id_ < len(SPECIALS):
            return SPECIALS[id_].encode()
        if id_ < FIRST_MERGED:
            return bytes([id_ - len(SPECIALS)])
        return b"".join(map(content, merges[id_ - FIRST_MERGED]))

    return b"".join(map(content, ids)).decode()


def check_inputs_matter(extractor):
    """Features depend on the image and on the instruction."""
    images = random_images()
    features = extractor.eval()(images, TEXTS)
    assert features.shape == (2, extractor.width)
    assert not torch.allclose(features[0], extractor(images[:1], TEXTS[1:])[0])
    assert not torch.allclose(features[0], extractor(images[1:], TEXTS[:1])[0])


def check_independence_of_other_prompts(extractor):
    """A longer prompt in the batch does not change the features of another one."""
    images = random_images()
    alone = extractor.eval()(images[:1], TEXTS[:1])[0]
    together = extractor(images, (TEXTS[0], "a much longer instruction " * 5))[0]
    assert torch.allclose(alone, together, atol=1e-6)


def check_gradients(extractor):
    """Every trained parameter gets a gradient; returns their names."""
    extractor.train()(random_images(), TEXTS)[:, 0].sum().backward()
    trained = {name: p for name, p in extractor.named_parameters() if p.requires_grad}
    assert trained
    assert not [name for name, p in trained.items() if p.grad is None or not p.grad.abs().sum() > 0]
    return trained.keys()
