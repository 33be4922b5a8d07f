"""An interpreter that looks at every place of every image."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.transformer import DecoderLayer, EncoderLayer, image_positions
from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes


class ActInterpreter(Interpreter):
    """ACT's transformer over image tokens, the universal action and proprioception.

    It differs from the published one in positions (of rows and columns, and a learned one for each camera, instead
    of one row of sines over all tokens) and in the first layer of the decoder, as our ACT does: docs/policies.md.

    Args:
        sizes: All of them.
    """

    proprio: nn.Linear

    def __init__(self, sizes: InterpreterSizes) -> None:
        super().__init__(sizes)
        d = sizes.d_model
        layer = (d, sizes.heads, sizes.feedforward, 0.0)
        self.see = nn.Conv2d(sizes.channels, d, 1) if sizes.channels != d else nn.Identity()
        self.universal = nn.Linear(sizes.code_width, d)
        self.proprio = nn.Linear(sizes.proprio, d)
        self.positions = nn.Embedding(2, d)  # of the universal action and of proprioception
        self.views = nn.Embedding(sizes.views, d)
        self.encoder = nn.ModuleList(EncoderLayer(*layer) for _ in range(sizes.encoder_layers))
        self.start = nn.Parameter(torch.zeros(d))
        self.queries = nn.Embedding(sizes.chunk, d)
        self.decoder = nn.ModuleList(DecoderLayer(*layer, first=i == 0) for i in range(sizes.decoder_layers))
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, sizes.actions)

    def forward(self, features: Tensor, universal: Tensor, proprio: Tensor) -> Tensor:
        """See `Interpreter`."""
        seen, places = self._see(features)  # (B, V * h * w, D), (V * h * w, D)
        single = torch.stack((self.universal(universal), self.proprio(proprio)), dim=1)  # (B, 2, D)
        tokens = torch.cat((single, seen), dim=1)  # (B, S, D)
        placed = torch.cat((self.positions.weight, places)).to(tokens.dtype)  # (S, D)
        for layer in self.encoder:
            tokens = layer(tokens, placed)
        made = self._decode(tokens, placed).float()  # (B, K, D)
        with torch.autocast(made.device.type, enabled=False):  # cheap, and what it gives is the result
            return self.head(made)  # type: ignore[no-any-return]

    def _see(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of the cameras and their positions."""
        views, height, width = features.shape[1], *features.shape[3:]
        maps = self.see(features.flatten(0, 1)).unflatten(0, (-1, views))  # (B, V, D, h, w)
        tokens = maps.flatten(3).transpose(2, 3).flatten(1, 2)  # (B, V * h * w, D)
        cells = image_positions(height, width, tokens.shape[-1], tokens.device)  # (h * w, D)
        return tokens, (self.views.weight[:, None] + cells).flatten(0, 1)

    def _decode(self, memory: Tensor, positions: Tensor) -> Tensor:
        """The last layer's output, shape (B, K, D)."""
        queries = self.queries.weight.to(memory.dtype)  # (K, D)
        tokens = self.start.to(memory.dtype).expand(len(memory), len(queries), -1)  # (B, K, D)
        placed = memory + positions  # (B, S, D)
        for layer in self.decoder:
            tokens = layer(tokens, queries, memory, placed)
        return self.norm(tokens)  # type: ignore[no-any-return]
