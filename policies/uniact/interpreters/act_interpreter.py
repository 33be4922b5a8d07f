"""The transformer interpreter, which attends to every cell of every image."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.transformer import sequence_positions
from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes


class ActInterpreter(Interpreter):
    """The published transformer over image tokens, the universal action and proprioception.

    Sinusoids of the place in the sequence are added to the encoder's tokens and to the learned queries, which are the
    decoder's tokens. Unlike in ACT, the queries differ from one another, so the first self-attention is not constant.
    """

    proprio: nn.Linear

    def __init__(self, sizes: InterpreterSizes) -> None:
        super().__init__(sizes)
        d = sizes.d_model
        self.see = nn.Conv2d(sizes.channels, d, 1) if sizes.channels != d else nn.Identity()
        self.universal = nn.Linear(sizes.code_width, d)
        self.proprio = nn.Linear(sizes.proprio, d)
        self.queries = nn.Parameter(torch.zeros(sizes.chunk, d))
        layers = (sizes.encoder_layers, sizes.decoder_layers)
        self.transformer = nn.Transformer(d, sizes.heads, *layers, sizes.feedforward, dropout=0.0, batch_first=True)
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, sizes.actions)

    def forward(self, features: Tensor, universal: Tensor, proprio: Tensor) -> Tensor:
        maps = self.see(features.flatten(0, 1)).unflatten(0, features.shape[:2])  # (B, V, D, h, w)
        images = maps.flatten(3).transpose(2, 3).flatten(1, 2)  # (B, V * h * w, D)
        single = torch.stack((self.universal(universal), self.proprio(proprio)), dim=1)  # (B, 2, D)
        tokens = _placed(torch.cat((images, single), dim=1))  # (B, S, D)
        queries = _placed(self.queries.to(tokens.dtype)).expand(len(tokens), -1, -1)  # (B, K, D)
        decoded = self.norm(self.transformer(tokens, queries)).float()  # (B, K, D)
        with torch.autocast(decoded.device.type, enabled=False):  # cheap, and its output is the result
            return self.head(decoded)  # type: ignore[no-any-return]


def _placed(tokens: Tensor) -> Tensor:
    """Tokens (..., S, D) with the sinusoids of their places added."""
    return tokens + sequence_positions(*tokens.shape[-2:]).to(tokens)
