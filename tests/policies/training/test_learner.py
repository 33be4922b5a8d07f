import pytest
import torch
from torch import nn

from ambidex.errors import UsageError
from ambidex.policies.training.learner import make_optimizer, rate_factor
from ambidex.policies.training.state import MovingAverage


def test_the_learning_rate_rises_and_then_falls_to_zero_or_stays():
    cosine = [rate_factor(step, steps=100, warmup_steps=10, schedule="cosine") for step in range(100)]
    assert cosine[:10] == sorted(cosine[:10])
    assert cosine[0] > 0
    assert cosine[10] == 1.0
    assert cosine[10:] == sorted(cosine[10:], reverse=True)
    assert cosine[55] == pytest.approx(0.5)
    assert 0 < cosine[99] < 0.001
    constant = [rate_factor(step, steps=100, warmup_steps=0, schedule="constant") for step in (0, 50, 99)]
    assert constant == [1.0, 1.0, 1.0]


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.eye = nn.Conv2d(3, 4, 3)
        self.norm = nn.LayerNorm(4)
        self.table = nn.Embedding(5, 4)
        self.head = nn.Linear(4, 2)
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.frozen = nn.Parameter(torch.randn(3, 3), requires_grad=False)

    def backbone_parameters(self):
        return list(self.eye.parameters())


def test_every_parameter_is_in_one_group_with_its_rate_and_decay():
    parts = Parts()
    optimizer = make_optimizer(parts, learning_rate=1e-3, backbone_learning_rate=1e-5, weight_decay=0.1)
    names = {id(parameter): name for name, parameter in parts.named_parameters()}
    found = {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert found == {
        "eye.weight": (1e-5, 0.1),
        "eye.bias": (1e-5, 0.0),
        "norm.weight": (1e-3, 0.0),
        "norm.bias": (1e-3, 0.0),
        "table.weight": (1e-3, 0.0),
        "head.weight": (1e-3, 0.1),
        "head.bias": (1e-3, 0.0),
        "token": (1e-3, 0.0),
    }
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(found)


def test_a_policy_without_trained_weights_is_refused():
    policy = Parts().requires_grad_(False)
    policy.name = "parts"
    with pytest.raises(UsageError) as caught:
        make_optimizer(policy, learning_rate=1e-3, backbone_learning_rate=1e-5, weight_decay=0.1)
    assert caught.value.facts == {"policy": "parts"}


def test_the_moving_average_follows_the_weights_and_can_be_applied():
    parameter = nn.Parameter(torch.zeros(2))
    average = MovingAverage({"w": parameter}, 0.5)
    with torch.no_grad():
        parameter.fill_(1.0)
    for step in range(1000, 1003):  # long after the first steps
        average.update(step)
    assert torch.allclose(average.values["w"], torch.full((2,), 1 - 0.5**3))
    with average.applied():
        assert torch.allclose(parameter, torch.full((2,), 0.875))
    assert torch.equal(parameter, torch.ones(2))


def test_in_the_first_steps_the_moving_average_follows_fast():
    parameter = nn.Parameter(torch.zeros(1))
    average = MovingAverage({"w": parameter}, 0.999)
    with torch.no_grad():
        parameter.fill_(1.0)
    average.update(0)
    assert float(average.values["w"]) == pytest.approx(0.9)
