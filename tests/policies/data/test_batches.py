import numpy as np
import pytest
import torch
from synthetic_dataset import read_table

from ambidex.policies.data.batches import Augmentation, SampleGatherer, jittered, shifted
from ambidex.policies.messages import PolicyInputs

CPU = torch.device("cpu")
NEWEST = PolicyInputs(cameras=(), objects=True, instruction=False)


def test_a_chunk_repeats_the_last_action_beyond_the_end(states):
    table = read_table([states])
    batch = SampleGatherer(table, NEWEST, 4, CPU).batch(np.array([0, 4, 6, 7]), {})
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
    batch = SampleGatherer(table, NEWEST, 50, CPU).batch(np.array([13]), {})
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


def looking_back(history, stride=1):
    return PolicyInputs(cameras=("top",), objects=True, instruction=False, history=history, stride=stride)


def rows_of_window(table, row, history, stride):
    """The definition, position by position: the wanted row, or the first of the episode."""
    first = int(table.starts[table.episode_of_row[row]])
    return [max(first, row - stride * age) for age in range(history - 1, -1, -1)]


@pytest.mark.parametrize(("history", "stride"), [(2, 1), (3, 2), (9, 1), (4, 5)])
def test_windows_repeat_the_first_observation_and_never_reach_into_another_episode(states, history, stride):
    table = read_table([states])
    rows = np.arange(len(table))[::-1].copy()
    gatherer = SampleGatherer(table, looking_back(history, stride), 4, CPU)
    batch = gatherer.batch(rows, {})
    assert gatherer.windows(rows).tolist() == [rows_of_window(table, int(row), history, stride) for row in rows]
    newest = SampleGatherer(table, NEWEST, 4, CPU)
    for sample, row in enumerate(rows.tolist()):
        window = rows_of_window(table, row, history, stride)
        alone, step = newest.batch(np.array(window), {}), row - int(table.starts[table.episode_of_row[row]])
        valid = [step >= stride * age for age in range(history - 1, -1, -1)]
        assert batch.observation.valid[sample].tolist() == valid
        for name in ("qpos", "objects"):
            assert torch.equal(getattr(batch.observation, name)[sample], getattr(alone.observation, name))
        assert torch.equal(batch.actions[sample], alone.actions)
        assert torch.equal(batch.is_pad[sample], alone.is_pad | ~torch.tensor(valid)[:, None])
    last = newest.batch(rows, {})
    assert torch.equal(batch.newest[0], last.newest[0]) and torch.equal(batch.newest[1], last.newest[1])
    assert batch.observation.instructions == last.observation.instructions


def test_cached_features_are_those_of_the_rows_of_windows(states):
    table = read_table([states])
    gatherer = SampleGatherer(table, looking_back(3), 4, CPU)
    gatherer.cache(torch.arange(len(table)))
    rows = np.array([8, 2])
    assert gatherer.batch(rows, {}).observation.cached_features.tolist() == gatherer.windows(rows).tolist()


@pytest.mark.parametrize(
    "augmentation", [{"random_shift": 3, "colour_jitter": 0.0}, {"random_shift": 2, "colour_jitter": 0.4}]
)
def test_the_images_of_a_window_are_augmented_alike_and_those_of_samples_and_cameras_differently(augmentation):
    frame = torch.randint(256, (3, 12, 16), dtype=torch.uint8)
    images = {camera: frame.expand(8, 4, 3, 12, 16).movedim(-3, -1).contiguous().movedim(-1, -3) for camera in "ab"}
    torch.manual_seed(1)
    changed = Augmentation(**augmentation)(images)
    assert changed["a"].shape == (8, 4, 3, 12, 16)
    assert (changed["a"] == changed["a"][:, :1]).all()
    assert len({sample.numpy().tobytes() for camera in "ab" for sample in changed[camera][:, 0]}) > 12


def test_a_window_is_augmented_by_one_map_of_its_colours():
    dark, light = torch.full((2, 3, 4, 4), 40, dtype=torch.uint8), torch.full((2, 3, 4, 4), 160, dtype=torch.uint8)
    torch.manual_seed(0)
    changed = Augmentation(random_shift=0, colour_jitter=0.2)({"top": torch.stack((dark, light), 1)})["top"]
    torch.manual_seed(0)
    factors = 1 + 0.2 * (2 * torch.rand(3, 2, 1, 1) - 1)
    for window, (brightness, contrast, _) in zip(changed, factors.flatten(1).T.tolist(), strict=True):
        expected = [brightness * (100 + contrast * (level - 100)) for level in (40, 160)]
        assert window.float().amax((1, 2, 3)).tolist() == pytest.approx(expected, abs=0.51)
