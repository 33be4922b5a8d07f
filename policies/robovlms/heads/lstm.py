"""The LSTM head."""

import torch
from torch import Tensor, nn

from ambidex.policies.robovlms.heads.head import Trunk


class LstmTrunk(Trunk):
    """A long short-term memory over the window, from a state of zero, beside a linear layer for each observation.

    The released code has the memory alone, with which a small model from scratch learns more slowly (docs/results.md).
    """

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Linear(inputs, width)
        self.lstm = nn.LSTM(inputs, width, layers, batch_first=True)

    def forward(self, states: Tensor) -> Tensor:
        now = self.project(states)
        memory = _in_float32(self.lstm, states) if states.device.type == "cpu" else self.lstm(states)[0]
        return now + memory.to(now.dtype)  # type: ignore[no-any-return]


def _in_float32(lstm: nn.LSTM, states: Tensor) -> Tensor:
    """What an LSTM makes of states (B, H, D), also if it or autocast has bf16.

    On processors without instructions for bf16, oneDNN has no LSTM in it, and raises an error.
    """
    weights = [weight.float() for layer in lstm.all_weights for weight in layer]
    start = states.new_zeros(lstm.num_layers, len(states), lstm.hidden_size, dtype=torch.float32)
    with torch.autocast(states.device.type, enabled=False):
        return torch.lstm(
            states.float(), (start, start), weights, True, lstm.num_layers, 0.0, lstm.training, False, True
        )[0]
