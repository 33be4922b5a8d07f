import numpy as np
import pytest

from ambidex.errors import RemotePolicyError
from ambidex.policies.remote.answers import read_actions

LOW, HIGH = np.full(3, -1, np.float32), np.array([1, 1, 3], np.float32)
ACTIONS = np.linspace(-1, 1, 12).reshape(4, 3)


@pytest.mark.parametrize(
    "content",
    [
        {"actions": ACTIONS, "server_timing": {}},
        {"action": ACTIONS},
        {"actions": ACTIONS[None]},
        ACTIONS,
        {"actions": ACTIONS.astype(">f4")},
    ],
)
def test_actions_are_found_and_their_batch_axis_is_dropped(content):
    actions = read_actions(content, LOW, HIGH, steps=4)
    np.testing.assert_array_equal(actions, ACTIONS.astype(np.float32))
    assert actions.dtype == np.float32 and actions.dtype.isnative


@pytest.mark.parametrize(
    "actions",
    [
        np.zeros((4, 4)),
        np.zeros(3),
        np.zeros((2, 4, 3)),
        np.zeros((0, 3)),
        np.zeros(()),
        np.array([["a", "b", "c"]]),
        [[0.0, 0.0, 0.0]],
        None,
        np.zeros((4, 3), bool),
    ],
)
def test_anything_else_is_an_error_of_the_policy(actions):
    with pytest.raises(RemotePolicyError):
        read_actions({"actions": actions}, LOW, HIGH)


@pytest.mark.parametrize("content", [{}, {"chunk": ACTIONS}, "text", 3, None, [ACTIONS]])
def test_a_message_without_actions_is_an_error_of_the_policy(content):
    with pytest.raises(RemotePolicyError, match="without actions"):
        read_actions(content, LOW, HIGH)


def test_fewer_actions_than_are_executed_are_an_error_of_the_policy():
    with pytest.raises(RemotePolicyError) as caught:
        read_actions({"actions": ACTIONS}, LOW, HIGH, steps=5)
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (4, 5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -21.1, 43.1])
def test_values_that_are_not_finite_or_out_of_all_proportion_are_named(value):
    actions = ACTIONS.copy()
    actions[1, 0 if value < 0 else 2] = value
    with pytest.raises(RemotePolicyError) as caught:
        read_actions({"actions": actions}, LOW, HIGH)
    assert caught.value.facts["step"] == 1 and caught.value.facts["dimension"] == (0 if value < 0 else 2)


@pytest.mark.parametrize("value", [-20.9, 42.9])
def test_values_outside_the_limits_are_left_to_the_environment(value):
    actions = np.zeros((1, 3))
    actions[0, 0 if value < 0 else 2] = value
    assert read_actions({"actions": actions}, LOW, HIGH).flat[0 if value < 0 else 2] == np.float32(value)
