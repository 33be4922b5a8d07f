"""The smallest interpreter."""

import torch
from torch import Tensor, nn

from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes

WIDENING = 4  # hidden numbers for each that comes out, as published


class MlpInterpreter(Interpreter):
    """The mean of all image features beside the universal action, through one hidden layer. Blind to proprioception.

    Args:
        sizes: Of them, those of the transformer have no meaning here.
    """

    def __init__(self, sizes: InterpreterSizes) -> None:
        super().__init__(sizes)
        self.proprio = None
        made = sizes.chunk * sizes.actions
        self.hidden = nn.Linear(sizes.channels + sizes.code_width, WIDENING * made)
        self.head = nn.Linear(WIDENING * made, made)

    def forward(self, features: Tensor, universal: Tensor, proprio: Tensor) -> Tensor:
        """See `Interpreter`."""
        seen = features.mean((1, 3, 4))  # (B, C)
        hidden = nn.functional.gelu(self.hidden(torch.cat((seen, universal.to(seen.dtype)), dim=-1)))
        with torch.autocast(hidden.device.type, enabled=False):  # cheap, and what it gives is the result
            return self.head(hidden.float()).unflatten(-1, (self.chunk, self.action_size))  # type: ignore[no-any-return]
