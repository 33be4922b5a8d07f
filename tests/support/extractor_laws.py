"""What holds for every extractor of UniAct, and what the tests show it."""

import torch

TEXTS = ("pick up the cube", "insert the peg into the socket")


def pictures(count=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 3, 24, 40), dtype=torch.uint8, generator=generator)


def check_seen_and_said_both_matter(extractor):
    images = pictures()
    features = extractor.eval()(images, TEXTS)
    assert features.shape == (2, extractor.width)
    assert not torch.allclose(features[0], extractor(images[:1], TEXTS[1:])[0])
    assert not torch.allclose(features[0], extractor(images[1:], TEXTS[:1])[0])


def check_a_longer_neighbour_changes_nothing(extractor):
    images = pictures()
    alone = extractor.eval()(images[:1], TEXTS[:1])[0]
    together = extractor(images, (TEXTS[0], "a much longer instruction " * 5))[0]
    assert torch.allclose(alone, together, atol=1e-6)


def check_what_is_trained_gets_a_gradient(extractor):
    """Gives the names of the parameters that are trained."""
    extractor.train()(pictures(), TEXTS)[:, 0].sum().backward()
    trained = {name: p for name, p in extractor.named_parameters() if p.requires_grad}
    assert trained
    assert not [name for name, p in trained.items() if p.grad is None or not p.grad.abs().sum() > 0]
    return trained.keys()
