"""The discrete head: actions as words of the language model."""

from torch import Tensor, nn

from ambidex.policies.robovlms.actions import ActionDiscretizer
from ambidex.policies.robovlms.losses import token_loss


class DiscreteHead(nn.Module):
    """A chunk as K * A words, the dimensions of the first action first; each is one of `bins` parts of [-1, 1].

    Args:
        bins: Number of action words.
        chunk: Actions per prediction, K.
        actions: Dimensions of an action, A.

    Attributes:
        length: Words of a chunk, K * A.
    """

    def __init__(self, bins: int, chunk: int, actions: int) -> None:
        super().__init__()
        self._shape, self.length = (chunk, actions), chunk * actions
        self._discretizer = ActionDiscretizer(bins)

    def encode(self, actions: Tensor) -> Tensor:
        """Normalised chunks (B, K, A) to words, 0 to `bins` - 1, shape (B, K * A) int64."""
        return self._discretizer.encode(actions).flatten(1)

    def decode(self, words: Tensor) -> Tensor:
        """Inverse of `encode`, float32; each value is the centre of its part."""
        return self._discretizer.decode(words).view(-1, *self._shape)

    def loss(self, logits: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """Cross-entropy of logits of action words (B, K * A, bins) for the right words (B, K * A), valid (B, K)."""
        return token_loss(logits.view(-1, *self._shape, logits.shape[-1]), words.view(-1, *self._shape), valid)
