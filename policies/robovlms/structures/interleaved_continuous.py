"""Interleaved, continuous: all observations of the window in one sequence, a learned token after each."""

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.backbones.backbone import Kind, TokenSequence
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.structure import ContinuousStructure
from ambidex.policies.robovlms.windows import among_all, frames_of, rows_of, windows_of


class InterleavedContinuous(ContinuousStructure):
    """(Prompt, images, proprioception, [LRN]) x H --model--> states of the H [LRN] --head--> chunks.

    Missing observations become padding, which is moved to the end of the sequence.
    """

    def states(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        length = window.qpos.shape[1]
        steps = self._steps(window, embodiment)  # (B * H, S, D)
        kinds = windows_of(steps.kinds, length)  # (B, H, S)
        if window.valid is not None:
            kinds = torch.where(window.valid[..., None], kinds, Kind.PADDING)
        embeddings = windows_of(steps.embeddings, length).flatten(1, 2)  # (B, H * S, D)
        sequence = TokenSequence.joined(TokenSequence(embeddings=embeddings, kinds=kinds.flatten(1)))
        return self.learned_states(sequence, embodiment, length)

    def _steps(self, window: ObservationBatch, embodiment: Embodiment) -> TokenSequence:
        """The tokens of each observation; in training missing ones are not computed."""
        frames = frames_of(window)
        if window.valid is None or not self.training:
            return self.prompted(frames, embodiment)
        valid = window.valid.flatten()
        steps = self.prompted(rows_of(frames, valid), embodiment)
        return TokenSequence(embeddings=among_all(steps.embeddings, valid), kinds=among_all(steps.kinds, valid))

    def sequence_length(self, observed: int, history: int, words: int) -> int:
        return history * (observed + 1)
