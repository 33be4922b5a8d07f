"""One step, continuous: one observation, one learned token, its actions by a head."""

from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.structures.structure import ContinuousStructure
from ambidex.policies.robovlms.windows import frames_of


class OneStepContinuous(ContinuousStructure):
    """Prompt, images, proprioception, [LRN] --model--> state of [LRN] --head--> chunk."""

    def states(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        return self.learned_states(self.prompted(frames_of(window), embodiment), embodiment, 1)  # H is 1
