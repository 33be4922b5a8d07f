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
        logits = self._logits(self.observed(frames_of(window), embodiment), words[:, :-1])  # (B, K * A, bins)
        loss = head.loss(logits, words, valid[:, 0])
        return {"loss": loss, "cross_entropy": loss}

    def predict(self, window: ObservationBatch, embodiment: Embodiment, noise: Tensor) -> Tensor:
        head, observed = embodiment.tokens, self.observed(frames_of(window), embodiment)
        words = torch.empty((len(window), 0), dtype=torch.int64, device=noise.device)
        for _ in range(head.length):
            following = self._logits(observed, words)[:, -1].argmax(-1)  # (B,)
            words = torch.cat((words, following[:, None]), dim=1)
        return head.decode(words)

    def _logits(self, observed: TokenSequence, words: Tensor) -> Tensor:
        """Scores of the word after the observation and after each word so far (B, N), shape (B, N + 1, bins)."""
        ids = torch.tensor(self.backbone.action_ids(self._bins), device=words.device)
        actions = TokenSequence.of(self.backbone.embed(ids[words]).to(observed.embeddings.dtype), Kind.ACTION)
        states = self.backbone(TokenSequence.joined(observed, actions))
        last = (observed.kinds != Kind.PADDING).sum(1, keepdim=True) - 1  # of the observation, (B, 1)
        places = last + torch.arange(words.shape[1] + 1, device=words.device)
        return self.backbone.logits(states.take_along_dim(places[..., None], dim=1))[..., ids]
