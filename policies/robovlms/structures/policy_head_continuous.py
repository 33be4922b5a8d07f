"""Policy head, continuous: each observation alone through the model, the head relates them."""

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.structure import ContinuousStructure
from ambidex.policies.robovlms.windows import frame_at, frames_of, valid_first, windows_of


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
        if window.encoded_frames is not None:
            return window.encoded_frames
        length = window.qpos.shape[1]
        if self.training:
            return windows_of(self.encode_frames(frames_of(window), embodiment), length)
        # One place after the other: batches have the shape, and sums the order, of frames that are encoded singly.
        return torch.stack([self.encode_frames(frame_at(window, place), embodiment) for place in range(length)], dim=1)
