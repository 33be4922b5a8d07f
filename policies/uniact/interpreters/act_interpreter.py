"""The transformer interpreter, which attends to every cell of every image."""

import torch
from torch import Tensor, nn

from ambidex.policies.act.transformer import DecoderLayer, EncoderLayer, decode, image_positions
from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes


class ActInterpreter(Interpreter):
    """ACT's transformer over image tokens, the universal action and proprioception.

    It differs from the published one in its positions (of rows and columns, and a learned one for each camera, instead
    of one row of sines over all tokens) and in the first layer of the decoder, as our ACT does: docs/policies.md.
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
        image_tokens, cells = self._image_tokens(features)  # (B, V * h * w, D), (V * h * w, D)
        single = torch.stack((self.universal(universal), self.proprio(proprio)), dim=1)  # (B, 2, D)
        tokens = torch.cat((single, image_tokens), dim=1)  # (B, S, D)
        positions = torch.cat((self.positions.weight, cells)).to(tokens.dtype)  # (S, D)
        for layer in self.encoder:
            tokens = layer(tokens, positions)
        decoded = decode(self.decoder, self.start, self.queries.weight, tokens, positions)  # (B, K, D)
        decoded = self.norm(decoded).float()
        with torch.autocast(decoded.device.type, enabled=False):  # cheap, and its output is the result
            return self.head(decoded)  # type: ignore[no-any-return]

    def _image_tokens(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of the cameras and their positions."""
        views, height, width = features.shape[1], *features.shape[3:]
        maps = self.see(features.flatten(0, 1)).unflatten(0, (-1, views))  # (B, V, D, h, w)
        tokens = maps.flatten(3).transpose(2, 3).flatten(1, 2)  # (B, V * h * w, D)
        cells = image_positions(height, width, tokens.shape[-1], tokens.device)  # (h * w, D)
        return tokens, (self.views.weight[:, None] + cells).flatten(0, 1)
