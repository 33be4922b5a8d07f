"""The GPT-style transformer head."""

from torch import Tensor, nn

from ambidex.policies.robovlms.heads.head import Trunk
from ambidex.policies.vision_language.scratch import INITIAL_STD, CausalLayer


class TransformerTrunk(Trunk):
    """A causal transformer over the window, with learned positions (Radford et al., GPT-2, 2019)."""

    def __init__(self, inputs: int, width: int, layers: int, heads: int, history: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Linear(inputs, width)
        self.positions = nn.Embedding(history, width)
        nn.init.normal_(self.positions.weight, std=INITIAL_STD)
        self.layers = nn.Sequential(*(CausalLayer(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, states: Tensor) -> Tensor:
        tokens = self.project(states)
        tokens = tokens + self.positions.weight[: tokens.shape[1]].to(tokens.dtype)
        return self.norm(self.layers(tokens))  # type: ignore[no-any-return]
