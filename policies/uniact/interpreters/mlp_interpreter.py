"""The smallest interpreter: a multi-layer perceptron of mean image features and the universal action."""

import torch
from torch import Tensor, nn

from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes

WIDENING = 4  # hidden units per output, as published


class MlpInterpreter(Interpreter):
    """The mean of all image features and the universal action through one hidden layer, without proprioception."""

    def __init__(self, sizes: InterpreterSizes) -> None:
        super().__init__(sizes)
        self.proprio = None
        outputs = sizes.chunk * sizes.actions
        self.hidden = nn.Linear(sizes.channels + sizes.code_width, WIDENING * outputs)
        self.head = nn.Linear(WIDENING * outputs, outputs)

    def forward(self, features: Tensor, universal: Tensor, proprio: Tensor) -> Tensor:
        mean = features.mean((1, 3, 4))  # (B, C)
        hidden = nn.functional.gelu(self.hidden(torch.cat((mean, universal.to(mean.dtype)), dim=-1)))
        with torch.autocast(hidden.device.type, enabled=False):  # cheap, and its output is the result
            return self.head(hidden.float()).unflatten(-1, (self.chunk, self.action_size))  # type: ignore[no-any-return]
