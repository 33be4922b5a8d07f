import numpy as np
import pytest
import torch
from synthetic_episode import make_spec

from ambidex.policies.normalization import FieldStatistics
from ambidex.policies.robovlms.actions import ActionDiscretizer, ActionNormalizer

EE = tuple(f"panda_{name}" for name in ("dx", "dy", "dz", "drx", "dry", "drz", "gripper"))
LIBERO = make_spec(family="libero", control="ee", robot="panda", action_names=EE)
GRIPPERS = (6, 13)  # of ALOHA
ARM = [i for i in range(14) if i not in GRIPPERS]


def demonstrations(spec):
    """Actions with a dimension that does not move; grippers are within [0, 1], of LIBERO -1 or 1."""
    rng = np.random.default_rng(0)
    actions = rng.normal(0.3, 0.5, (500, len(spec.action_names))).astype(np.float32)
    actions[:, 2] = 0.25
    for i, name in enumerate(spec.action_names):
        if name.endswith("gripper"):
            actions[:, i] = rng.uniform(0, 1, 500) if spec is not LIBERO else rng.choice((-1, 1), 500)
    return actions


def make(spec, *, binary_gripper=False):
    actions = demonstrations(spec)
    normalizer = ActionNormalizer(spec, FieldStatistics.of(actions), binary_gripper=binary_gripper)
    return normalizer, torch.from_numpy(actions)


def test_arm_dimensions_go_from_the_first_to_the_last_percentile():
    normalizer, actions = make(make_spec())
    low, high = np.quantile(actions.numpy(), (0.01, 0.99), axis=0)
    for values, expected in ((low, -1.0), (high, 1.0)):
        found = normalizer(torch.from_numpy(values).float())
        moving = [i for i in ARM if i != 2]
        assert torch.allclose(found[moving], torch.tensor(expected), atol=1e-5)
    found = normalizer(actions)
    assert found[:, ARM].abs().max() == 1
    outside = (actions[:, 0] < low[0]) | (actions[:, 0] > high[0])
    assert 0 < outside.sum() < 12 and torch.equal(found[:, 0].abs() == 1, outside)


def test_decoding_inverts_the_encoding_within_the_percentiles():
    normalizer, actions = make(make_spec())
    low, high = (torch.from_numpy(q).float() for q in np.quantile(actions.numpy(), (0.01, 0.99), axis=0))
    inside = torch.maximum(torch.minimum(actions, high), low)
    expected = torch.where(normalizer.limit == torch.inf, actions, inside)
    assert torch.allclose(normalizer.inverse(normalizer(actions)), expected, atol=1e-6)


def test_openings_of_grippers_stay_as_they_are():
    normalizer, actions = make(make_spec())
    assert not any(normalizer.grippers)
    assert torch.equal(normalizer(actions)[:, GRIPPERS], actions[:, GRIPPERS])


def test_a_dimension_that_does_not_move_is_zero_and_decoded_to_its_value():
    normalizer, actions = make(make_spec())
    moved = actions.clone()
    moved[:, 2] += torch.linspace(-1, 1, len(moved))
    assert torch.equal(normalizer(moved)[:, 2], torch.zeros(len(moved)))
    decoded = normalizer.inverse(torch.randn(5, 14))
    assert torch.isfinite(decoded).all() and torch.allclose(decoded[:, 2], torch.tensor(0.25))


def test_a_dimension_that_hardly_moves_is_not_scaled_up():
    actions = demonstrations(make_spec())
    actions[:, 3] = 0.4 + np.linspace(-1e-3, 1e-3, len(actions))
    normalizer = ActionNormalizer(make_spec(), FieldStatistics.of(actions), binary_gripper=False)
    values = normalizer(torch.from_numpy(actions))
    assert 0.09 < values[:, 3].max() <= 0.11
    assert torch.allclose(normalizer.inverse(values)[:, 3], torch.from_numpy(actions[:, 3]), atol=1e-6)


def test_the_gripper_of_libero_goes_by_its_sign_whatever_the_data():
    actions = demonstrations(LIBERO)
    for gripper in (actions[:, 6], np.full(500, -1, np.float32)):  # opens and closes; never closes
        actions[:, 6] = gripper
        normalizer = ActionNormalizer(LIBERO, FieldStatistics.of(actions), binary_gripper=False)
        assert normalizer.grippers == (False,) * 6 + (True,)
        values = torch.zeros(4, 7)
        values[:, 6] = torch.tensor([-7.0, -0.1, 0.1, 7.0])
        assert normalizer.inverse(values)[:, 6].tolist() == [-1, -1, 1, 1]
        assert normalizer(values)[:, 6].tolist() == [-1, -1, 1, 1]


def test_openings_can_be_binary_and_are_then_decoded_to_their_percentiles():
    normalizer, actions = make(make_spec(), binary_gripper=True)
    assert tuple(i for i, is_gripper in enumerate(normalizer.grippers) if is_gripper) == GRIPPERS
    values = normalizer(actions)[:, GRIPPERS]
    assert set(values.flatten().tolist()) == {-1, 1}
    low, high = np.quantile(actions[:, 6].numpy(), (0.01, 0.99))
    assert torch.equal(values[:, 0] > 0, actions[:, 6] > (low + high) / 2)
    decoded = normalizer.inverse(normalizer(actions))[:, 6].numpy()
    assert np.allclose(decoded, np.where(values[:, 0] > 0, high, low), atol=1e-6)


@pytest.mark.parametrize("bins", [2, 256])
def test_a_value_is_decoded_to_the_centre_of_its_bin(bins):
    discretizer, values = ActionDiscretizer(bins), torch.linspace(-1, 1, 10_001)
    indices = discretizer.encode(values)
    assert indices.unique().tolist() == list(range(bins))
    errors = (discretizer.decode(indices) - values).abs()
    assert errors.max() <= 1 / bins + 1e-6
    assert torch.equal(discretizer.encode(discretizer.decode(indices)), indices)
    assert discretizer.encode(torch.tensor([-3.0, 3.0])).tolist() == [0, bins - 1]


def test_256_bins_cost_at_most_a_255th_of_the_range():
    normalizer, actions = make(make_spec())
    discretizer = ActionDiscretizer(256)
    values = normalizer(actions)
    decoded = normalizer.inverse(discretizer.decode(discretizer.encode(values)))
    low, high = (torch.from_numpy(q).float() for q in np.quantile(actions.numpy(), (0.01, 0.99), axis=0))
    share = (decoded - normalizer.inverse(values)).abs()[:, ARM] / (high - low).clamp(min=1e-6)[ARM]
    assert 1 / 600 < share.max() <= 1 / 255
    assert (decoded - actions).abs()[:, GRIPPERS].max() <= 1 / 255
