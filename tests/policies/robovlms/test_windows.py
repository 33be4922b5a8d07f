import pytest
import torch

from ambidex.policies.robovlms.windows import valid_first, valid_last

VALUES = torch.tensor([[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]]).float()[..., None]
VALID = torch.tensor([[True] * 4, [False, False, True, True], [False, False, False, True]])


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (valid_first, [[10, 11, 12, 13], [22, 23, 23, 23], [33, 33, 33, 33]]),
        (valid_last, [[10, 11, 12, 13], [20, 20, 20, 21], [30, 30, 30, 30]]),
    ],
)
def test_missing_observations_are_moved_out_of_the_way_and_back(move, expected):
    assert move(VALUES, VALID)[..., 0].tolist() == expected
    assert torch.equal(move(VALUES, None), VALUES)


def test_one_is_the_inverse_of_the_other_for_valid_observations():
    back = valid_last(valid_first(VALUES, VALID), VALID)
    assert torch.equal(back[VALID], VALUES[VALID])
