"""Policy head, continuous: each observation alone through the model, the head relates them."""

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.structure import ContinuousStructure
from ambidex.policies.robovlms.windows import among_all, frame_at, frames_of, rows_of, valid_first, windows_of


class PolicyHeadContinuous(ContinuousStructure):
    """(Prompt, images, proprioception, [LRN] --model--> state of [LRN]) x H --head--> chunks.

    The state of an observation does not depend on the others, so it is computed once for each and kept. In training
    every observation of a window is followed by a chunk to predict, so each state is used for that and all later ones.
    """

    def encode_frames(self, frames: ObservationBatch, embodiment: Embodiment) -> Tensor:
        return self.learned_states(self.prompted(frames, embodiment), embodiment, 1)[:, 0]

    def states(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        return valid_first(self._encoded(window, embodiment), window.valid)

    def _encoded(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        known = window.cached_features if window.encoded_frames is None else window.encoded_frames
        if known is not None:
            return known
        length = window.qpos.shape[1]
        if self.training:
            return self._encoded_at_once(window, embodiment)
        # One place after the other: batches have the shape, and sums the order, of frames that are encoded singly.
        return torch.stack([self.encode_frames(frame_at(window, place), embodiment) for place in range(length)], dim=1)

    def _encoded_at_once(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        """States of all valid observations in one batch, shape (B, H, D); those of missing ones are 0."""
        if window.valid is None:
            return self.encode_frames(frames_of(window), embodiment)[:, None]
        valid = window.valid.flatten()
        states = self.encode_frames(rows_of(frames_of(window), valid), embodiment)
        return windows_of(among_all(states, valid), window.valid.shape[1])
