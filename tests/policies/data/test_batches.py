import numpy as np
import torch
from synthetic_dataset import read_table

from ambidex.policies.data.batches import Augmentation, SampleGatherer, jittered, shifted

CPU = torch.device("cpu")


def test_a_chunk_repeats_the_last_action_beyond_the_end(states):
    table = read_table([states])
    batch = SampleGatherer(table, 4, CPU).batch(np.array([0, 4, 6, 7]), {})
    actions = batch.actions.numpy()
    assert np.array_equal(actions[0], table.actions[:4])
    assert np.array_equal(actions[1], table.actions[[4, 5, 6, 6]])
    assert np.array_equal(actions[2], table.actions[[6, 6, 6, 6]])
    assert np.array_equal(actions[3], table.actions[7:11])
    assert batch.is_pad.tolist() == [[False] * 4, [False] * 3 + [True], [False] + [True] * 3, [False] * 4]
    assert np.array_equal(batch.observation.objects.numpy(), table.objects[[0, 4, 6, 7]])
    assert len(batch.observation.instructions) == 4


def test_a_chunk_may_be_longer_than_every_episode(states):
    table = read_table([states])
    batch = SampleGatherer(table, 50, CPU).batch(np.array([13]), {})
    assert batch.actions.shape == (1, 50, 14)
    assert (~batch.is_pad).sum() == 8


def test_a_shift_moves_the_image_and_repeats_its_edge():
    torch.manual_seed(0)
    original = torch.arange(5 * 6).reshape(1, 5, 6, 1).expand(64, 5, 6, 3).to(torch.uint8)
    moved = shifted(original, 2)
    found = set()
    for image in moved[..., 0]:
        row, column = divmod(int(image[2, 3]), 6)
        down, right = 2 - row, 3 - column
        rows = (torch.arange(5) - down).clamp(0, 4)
        columns = (torch.arange(6) - right).clamp(0, 5)
        assert torch.equal(image, original[0, :, :, 0][rows][:, columns])
        found.add((down, right))
    assert max(abs(d) for place in found for d in place) == 2
    assert len(found) > 12


def test_jitter_keeps_grey_images_grey_and_varies_their_brightness():
    torch.manual_seed(0)
    grey = torch.full((32, 4, 4, 3), 100, dtype=torch.uint8)
    changed = jittered(grey, 0.3)
    assert changed.dtype == torch.uint8
    assert torch.equal(changed[..., 0], changed[..., 2])
    levels = changed[:, 0, 0, 0].int()
    assert 70 <= levels.min() < 85
    assert 115 < levels.max() <= 130


def test_jitter_is_brightness_then_saturation_then_contrast():
    torch.manual_seed(3)
    pixels = torch.randint(60, 180, (5, 6, 7, 3), dtype=torch.uint8)
    torch.manual_seed(4)
    changed = jittered(pixels, 0.2)
    torch.manual_seed(4)
    factors = 1 + 0.2 * (2 * torch.rand(3, 5, 1, 1) - 1)
    weights = torch.tensor([0.299, 0.587, 0.114])
    for image, result, (brightness, contrast, saturation) in zip(pixels, changed, factors.flatten(1).T, strict=True):
        colours = brightness * image
        grey = (colours @ weights)[..., None]
        colours = grey + saturation * (colours - grey)
        colours = grey.mean() + contrast * (colours - grey.mean())
        assert (result.float() - colours).abs().max() <= 0.51


def test_without_augmentation_images_stay_as_they_are():
    images = {"top": torch.zeros(1, 3, 4, 4, dtype=torch.uint8)}
    assert Augmentation(random_shift=0, colour_jitter=0.0)(images) is images
