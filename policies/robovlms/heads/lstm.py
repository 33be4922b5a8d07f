"""The LSTM head."""

from torch import Tensor, nn

from ambidex.policies.robovlms.heads.head import Trunk


class LstmTrunk(Trunk):
    """A long short-term memory over the window, from a state of zero."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.lstm = nn.LSTM(inputs, width, layers, batch_first=True)

    def forward(self, states: Tensor) -> Tensor:
        return self.lstm(states)[0]  # type: ignore[no-any-return]
