"""One step, discrete: one observation, and actions as the words that the language model continues with."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.backbones.backbone import Backbone, Kind, TokenSequence
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.structure import Structure
from ambidex.policies.robovlms.windows import frames_of


class OneStepDiscrete(Structure):
    """Prompt, images, proprioception --model--> word 1, word 2, ... of the chunk, the most likely one each time.

    Only action words are possible: the model's scores of all others are left out, in training too.
    """

    def __init__(self, backbone: Backbone, bins: int) -> None:
        super().__init__(backbone)
        self._bins = bins

    def losses(
        self, window: ObservationBatch, embodiment: Embodiment, actions: Tensor, valid: Tensor
    ) -> Mapping[str, Tensor]:
        """Cross-entropy of each action word, given those before it."""
        head = embodiment.tokens
        words = head.encode(actions[:, 0])  # (B, K * A); H is 1
        logits = self.scores(self.observed(frames_of(window), embodiment), words[:, :-1])  # (B, K * A, bins)
        loss = head.loss(logits, words, valid[:, 0])
        return {"loss": loss, "cross_entropy": loss}

    def predict(self, window: ObservationBatch, embodiment: Embodiment, noise: Tensor | None) -> Tensor:
        head, observed = embodiment.tokens, self.observed(frames_of(window), embodiment)
        cache, ids = self.backbone.make_cache(), self._ids(window.qpos.device)
        state = self.backbone(observed, cache).take_along_dim(_last(observed)[..., None], dim=1)  # (B, 1, D)
        words = [self.backbone.logits(state, ids).argmax(-1)]  # (B, 1) each
        while len(words) < head.length:
            state = self.backbone(self._as_tokens(ids[words[-1]], observed), cache)
            words.append(self.backbone.logits(state, ids).argmax(-1))
        return head.decode(torch.cat(words, dim=1))

    def sequence_length(self, observed: int, history: int, words: int) -> int:
        return observed + words - 1

    def scores(self, observed: TokenSequence, words: Tensor) -> Tensor:
        """Scores of the word after the observation and after each word so far (B, N), shape (B, N + 1, bins)."""
        ids = self._ids(words.device)
        states = self.backbone(TokenSequence.joined(observed, self._as_tokens(ids[words], observed)))
        places = _last(observed) + torch.arange(words.shape[1] + 1, device=words.device)
        return self.backbone.logits(states.take_along_dim(places[..., None], dim=1), ids)

    def _as_tokens(self, ids: Tensor, observed: TokenSequence) -> TokenSequence:
        return TokenSequence.of(self.backbone.embed(ids).to(observed.embeddings.dtype), Kind.ACTION)

    def _ids(self, device: torch.device) -> Tensor:
        """The token id of each action word, shape (bins,)."""
        return torch.tensor(self.backbone.action_ids(self._bins), device=device)


def _last(observed: TokenSequence) -> Tensor:
    """The place of each observation's last position, shape (B, 1)."""
    return (observed.kinds != Kind.PADDING).sum(1, keepdim=True) - 1
