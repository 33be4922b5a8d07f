"""The fully connected head: each observation alone, and its actions by regression."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ambidex.policies.robovlms.heads.head import ActionLayers, Trunk
from ambidex.policies.robovlms.losses import Regression, gripper_loss, regression_loss


class FcTrunk(Trunk):
    """Hidden layers for each observation alone."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.width = width
        sizes = (inputs, *[width] * layers)
        self.layers = nn.Sequential(*(nn.Sequential(nn.Linear(a, b), nn.GELU()) for a, b in pairwise(sizes)))

    def forward(self, states: Tensor) -> Tensor:
        return self.layers(states)  # type: ignore[no-any-return]


class RegressionLayers(ActionLayers):
    """One hidden layer, then all actions of the chunk; for binary grippers a logit.

    The released code limits the others by a hyperbolic tangent, which makes the limits of [-1, 1] hard to reach.

    Args:
        width: Dimensions of the features.
        chunk: Actions per prediction, K.
        grippers: Whether each of the A dimensions is a gripper that only opens and closes.
        kind: The loss of the other dimensions.
        delta: Error at which Huber's loss becomes linear.
        gripper_weight: Loss weight of the binary grippers.
    """

    def __init__(
        self, width: int, chunk: int, grippers: Sequence[bool], *, kind: Regression, delta: float, gripper_weight: float
    ) -> None:
        super().__init__()
        self._shape, self._kind, self._delta = (chunk, len(grippers)), kind, delta
        self._gripper_weight = gripper_weight
        self._gripper = [i for i, is_gripper in enumerate(grippers) if is_gripper]
        self._other = [i for i, is_gripper in enumerate(grippers) if not is_gripper]
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, chunk * len(grippers))

    def losses(self, features: Tensor, actions: Tensor, valid: Tensor) -> Mapping[str, Tensor]:
        """Of "pose", all dimensions but binary grippers, and "gripper", these; 0 if there are none of a kind."""
        predicted, gripper, other = self._outputs(features), self._gripper, self._other
        pose = regression_loss(predicted[..., other], actions[..., other], valid, self._kind, self._delta)
        grip = gripper_loss(predicted[..., gripper], actions[..., gripper], valid)
        return {"loss": pose + self._gripper_weight * grip, "pose": pose, "gripper": grip}

    def forward(self, features: Tensor, noise: Tensor | None) -> Tensor:
        return self._outputs(features)

    def _outputs(self, features: Tensor) -> Tensor:
        hidden = nn.functional.gelu(self.hidden(features))
        with torch.autocast(hidden.device.type, enabled=False):  # cheap, and its output is the result
            return self.out(hidden.float()).unflatten(-1, self._shape)  # type: ignore[no-any-return]
