import numpy as np
import torch

from ambidex.policies.normalization import SMALLEST_STD, FieldStatistics, Normalization
from ambidex.policies.vision.resnet import ImageNormalization


def statistics(values):
    return FieldStatistics.of(np.asarray(values, dtype=np.float32))


def test_training_data_is_normalised_to_mean_0_and_std_1():
    values = np.random.default_rng(0).normal([1.0, -5.0], [0.3, 20.0], (1000, 2)).astype(np.float32)
    normal = Normalization(statistics(values))(torch.from_numpy(values))
    torch.testing.assert_close(normal.mean(0), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(normal.std(0, correction=0), torch.ones(2), rtol=1e-4, atol=0)


def test_inverse_restores_the_values():
    normalise = Normalization(statistics(np.random.default_rng(1).normal(3.0, 0.5, (50, 4))))
    values = torch.randn(5, 7, 4)
    torch.testing.assert_close(normalise.inverse(normalise(values)), values)


def test_the_standard_deviation_is_clipped():
    normalise = Normalization(statistics([[2.0], [2.0], [2.0]]))
    torch.testing.assert_close(normalise(torch.tensor([2.5])), torch.tensor([0.5 / SMALLEST_STD]))


def test_a_state_dict_has_the_statistics():
    normalise, other = Normalization(statistics([[1.0], [3.0]])), Normalization(statistics([[0.0], [1.0]]))
    other.load_state_dict(normalise.state_dict(), strict=True)
    assert other(torch.tensor([5.0])) == normalise(torch.tensor([5.0])) == 3.0


def test_images_are_normalised_with_imagenet_statistics():
    images = torch.randint(256, (2, 3, 4, 5), dtype=torch.uint8)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = ((images.permute(0, 2, 3, 1) / 255 - mean) / std).permute(0, 3, 1, 2)
    torch.testing.assert_close(ImageNormalization()(images), expected, rtol=1e-5, atol=1e-5)
