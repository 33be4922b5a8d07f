import pytest
import torch

from ambidex.policies.robovlms.heads.discrete import DiscreteHead
from ambidex.policies.robovlms.heads.fc import FcTrunk, RegressionLayers
from ambidex.policies.robovlms.heads.flow import FlowLayers
from ambidex.policies.robovlms.heads.lstm import LstmTrunk
from ambidex.policies.robovlms.heads.transformer import TransformerTrunk
from ambidex.policies.robovlms.losses import gripper_loss, regression_loss, token_loss

pytestmark = pytest.mark.usefixtures("one_thread")
VALID = torch.tensor([[True, True, False], [True, False, False]])
TRUNKS = [FcTrunk(6, 8, 2), LstmTrunk(6, 8, 2), TransformerTrunk(6, 8, 2, 1, history=5)]


def test_regression_losses_are_means_over_valid_elements():
    predicted, actions = torch.zeros(2, 3, 4), torch.full((2, 3, 4), 3.0)
    actions[0, 0] = 0.5
    actions[~VALID] = 100
    valid = (4 * 0.5**2 + 8 * 9) / 12
    assert regression_loss(predicted, actions, VALID, "mse", 1.0).item() == pytest.approx(valid)
    huber = (4 * 0.5**2 / 2 + 8 * (3 - 0.5)) / 12  # a square, then a line
    assert regression_loss(predicted, actions, VALID, "huber", 1.0).item() == pytest.approx(huber)
    assert regression_loss(predicted, actions, torch.zeros_like(VALID), "mse", 1.0) == 0


def test_the_gripper_loss_is_cross_entropy_with_logits():
    logits, actions = torch.tensor([[[2.0], [-1.0], [9.0]], [[0.5], [9.0], [9.0]]]), torch.ones(2, 3, 1)
    actions[0, 1] = -1
    expected = -torch.tensor([2.0, 1.0, 0.5]).sigmoid().log().mean()
    assert torch.allclose(gripper_loss(logits, actions, VALID), expected)


def test_the_token_loss_is_the_cross_entropy_of_valid_actions():
    logits, bins = torch.randn(2, 3, 4, 5), torch.randint(5, (2, 3, 4))
    expected = -logits.log_softmax(-1).gather(-1, bins[..., None])[VALID].mean()
    assert torch.allclose(token_loss(logits, bins, VALID), expected)


@pytest.mark.parametrize("trunk", TRUNKS, ids=lambda trunk: type(trunk).__name__)
def test_trunks_see_no_later_observation(trunk):
    states = torch.randn(2, 5, 6)
    changed = states.clone()
    changed[:, 3] += 1
    before, after = trunk(states), trunk(changed)
    assert before.shape == (2, 5, trunk.width)
    assert torch.equal(before[:, :3], after[:, :3]) and (before[:, 3] != after[:, 3]).any()
    assert (before[:, 4] != after[:, 4]).any() == (not isinstance(trunk, FcTrunk))


def test_flow_matching_learns_two_chunks_and_tells_them_apart():
    torch.manual_seed(0)
    layers = FlowLayers(2, 64, 2, chunk=3, actions=2, steps=10)
    actions = torch.randn(2, 3, 2).clamp(-1, 1)
    features, valid = torch.eye(2).repeat(32, 1), torch.ones(64, 3, dtype=torch.bool)
    optimizer = torch.optim.Adam(layers.parameters(), lr=3e-3)
    for _ in range(400):
        optimizer.zero_grad()
        layers.losses(features, actions.repeat(32, 1, 1), valid)["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        found = layers(torch.eye(2).repeat(4, 1), torch.randn(8, 3, 2))
    assert (found - actions.repeat(4, 1, 1)).abs().max() < 0.15


def test_flow_matching_starts_at_the_noise_and_takes_its_steps():
    layers = FlowLayers(2, 8, 1, chunk=3, actions=2, steps=10)
    with torch.no_grad():
        layers.out.weight.zero_()
        layers.out.bias.fill_(0.5)  # the same velocity everywhere
    noise = torch.randn(4, 3, 2)
    assert torch.allclose(layers(torch.randn(4, 2), noise), noise + 0.5, atol=1e-6)
    loss = layers.eval().losses(torch.randn(4, 2), torch.full((4, 3, 2), 0.5), torch.ones(4, 3, dtype=torch.bool))
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(loss["loss"], torch.randn(4, 3, 2, generator=generator).square().mean())


def test_words_are_the_dimensions_of_one_action_after_the_other():
    head = DiscreteHead(4, chunk=2, actions=3)
    actions = torch.tensor([[[-1.0, -0.4, 0.1], [0.9, 2.0, -2.0]]])
    assert head.encode(actions).tolist() == [[0, 1, 2, 3, 3, 0]]
    assert head.decode(head.encode(actions)).tolist() == [[[-0.75, -0.25, 0.25], [0.75, 0.75, -0.75]]]
    logits = torch.full((1, 6, 4), -50.0).scatter(-1, head.encode(actions)[..., None], 50.0)
    assert head.loss(logits, head.encode(actions), torch.ones(1, 2, dtype=torch.bool)) < 1e-6


def test_regression_takes_the_two_kinds_of_dimensions_apart():
    torch.manual_seed(0)
    layers = RegressionLayers(4, 2, (False, True, False), kind="mse", delta=1.0, gripper_weight=0.5)
    features, valid = torch.randn(3, 4), torch.ones(3, 2, dtype=torch.bool)
    predicted = layers(features, torch.zeros(3, 2, 3))
    actions = predicted.detach().clone()
    actions[..., 1] = torch.sign(actions[..., 1])
    found = layers.losses(features, actions, valid)
    assert found["pose"] == 0 and found["gripper"] > 0
    assert torch.allclose(found["loss"], 0.5 * found["gripper"])
    found["loss"].backward()
    assert (layers.out.weight.grad.view(2, 3, 4).abs().sum((0, 2)) > 0).tolist() == [False, True, False]


def test_actions_by_regression_are_not_rounded_under_autocast():
    layers = RegressionLayers(4, 2, (False,) * 3, kind="mse", delta=1.0, gripper_weight=0.5)
    with torch.autocast("cpu", torch.bfloat16):
        found = layers(torch.randn(3, 4), torch.zeros(3, 2, 3))
    assert found.dtype == torch.float32 and not torch.equal(found, found.bfloat16().float())


def test_the_memory_of_an_lstm_is_computed_in_float32_on_a_cpu() -> None:
    torch.manual_seed(0)
    trunk, states = LstmTrunk(6, 8, 2), torch.randn(3, 5, 6)
    memory = trunk.lstm(states)[0]
    assert torch.equal(trunk(states), trunk.project(states) + memory)
    with torch.autocast("cpu", torch.bfloat16):
        now = trunk.project(states)
        assert now.dtype == torch.bfloat16
        assert torch.equal(trunk(states), now + memory.to(torch.bfloat16))
    rounded = LstmTrunk(6, 8, 2)
    rounded.load_state_dict(trunk.state_dict())
    rounded.to(torch.bfloat16)(states.to(torch.bfloat16)).sum().backward()
    assert all(parameter.grad is not None for parameter in rounded.parameters())
