"""The LSTM head."""

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
        return self.project(states) + self.lstm(states)[0]  # type: ignore[no-any-return]
