"""A moving average of the weights, which often acts better than the weights themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of parameters (Polyak & Juditsky 1992, as in diffusion policies).

    Args:
        parameters: Name -> parameter.
        decay: What stays of the average per step, when warm; the first steps weigh more.

    Attributes:
        values: Name -> average.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self.values: dict[str, Tensor] = {name: value.detach().clone() for name, value in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), list(self._parameters.values()), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within, the parameters hold the average."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, parameter in self._parameters.items():
            parameter.data, self.values[name] = self.values[name], parameter.data
