"""Actions of one embodiment: normalised by quantiles, and as integers for action tokens."""

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.normalization import FieldStatistics

GRIPPER = "gripper"  # how the names of such dimensions end
SMALLEST_RANGE = 1e-4  # between quantiles; a dimension that moves less stays at its mean
SMALLEST_SCALE = 1e-2  # of others, which keeps those that hardly move from being scaled up, as in `Normalization`


class ActionNormalizer(nn.Module):
    """Scales actions to [-1, 1] between the quantiles of 1 and 99 % of each dimension, beyond which they are clipped.

    Three kinds of dimensions differ: a gripper's opening stays as it is; a gripper that only opens and closes becomes
    -1 or 1, and is decoded by its sign; and a dimension that does not move is 0, and decoded to its mean.

    Source: Li et al., "Towards Generalist Robot Policies", 2024 (RoboVLMs).

    Args:
        spec: Says which dimensions are grippers. Those of LIBERO's increments only open and close.
        statistics: Of the training actions.
        binary_gripper: Treat openings like grippers that only open and close, to their quantiles.

    Attributes:
        grippers: Whether each dimension is a gripper that only opens and closes, A of them.
    """

    centre: Tensor
    half_range: Tensor
    limit: Tensor
    binary: Tensor

    def __init__(self, spec: EnvSpec, statistics: FieldStatistics, *, binary_gripper: bool) -> None:
        super().__init__()
        low, high = torch.tensor(statistics.q01), torch.tensor(statistics.q99)
        gripper = torch.tensor([name.endswith(GRIPPER) for name in spec.action_names])
        by_sign = spec.family == "libero" and spec.control == "ee"
        if by_sign:
            low, high = torch.where(gripper, -1.0, low), torch.where(gripper, 1.0, high)
        only_opens_and_closes = by_sign or binary_gripper
        raw, still = gripper & (not only_opens_and_closes), (high - low < SMALLEST_RANGE) & ~gripper
        centre = torch.where(still, torch.tensor(statistics.mean), (low + high) / 2)
        scale = ((high - low) / 2).clamp(min=SMALLEST_SCALE)
        self.grippers = tuple(name.endswith(GRIPPER) and only_opens_and_closes for name in spec.action_names)
        self.register_buffer("centre", torch.where(raw, 0.0, centre))
        self.register_buffer("half_range", torch.where(raw, 1.0, torch.where(still, 0.0, scale)))
        self.register_buffer("limit", torch.where(raw, torch.inf, (~still).float()), persistent=False)
        self.register_buffer("binary", torch.tensor(self.grippers), persistent=False)

    def forward(self, actions: Tensor) -> Tensor:
        """Actions in the environment's units, shape (..., A), to normalised ones."""
        distance = actions - self.centre
        scaled = (distance / self.half_range.clamp(min=SMALLEST_SCALE)).clamp(-self.limit, self.limit)
        return torch.where(self.binary, _sign(distance), scaled)

    def inverse(self, values: Tensor) -> Tensor:
        """Normalised actions, shape (..., A), to the environment's units."""
        return torch.where(self.binary, _sign(values), values) * self.half_range + self.centre


def _sign(values: Tensor) -> Tensor:
    """1 where values are above 0, else -1."""
    return torch.where(values > 0, 1.0, -1.0)


class ActionDiscretizer:
    """Normalised actions as integers of one of `bins` equal parts of [-1, 1], decoded to their centres.

    So a decoded value differs by at most 1 / `bins` from one in [-1, 1].
    """

    def __init__(self, bins: int) -> None:
        self.bins = bins

    def encode(self, values: Tensor) -> Tensor:
        """Values of any shape to int64; those outside [-1, 1] get the first or the last bin."""
        return ((values + 1) / 2 * self.bins).floor().long().clamp(0, self.bins - 1)

    def decode(self, indices: Tensor) -> Tensor:
        """Inverse of `encode`, float32."""
        return (indices.float() + 0.5) / self.bins * 2 - 1
