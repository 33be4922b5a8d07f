"""Where the pixels of training samples come from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from torch import Tensor

from ambidex.policies.training_data.episode_table import RowArray


class FrameSource(Protocol):
    """Gives the frames of rows (B,) as camera -> (B, 3, H, W) uint8 on the training device, channels last in memory.

    Every source gives the same.
    """

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        """Those of some rows, now."""
        ...

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """Those of each order of rows; a source may work ahead."""
        ...
