"""Turns row numbers into batches: everything but pixels is resident on the training device."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.embodiment import embodiment
from ambidex.policies.training_data.episode_table import EpisodeTable, RowArray


class SampleGatherer:
    """Looks up observations and the actions that follow them.

    Args:
        table: The episodes.
        chunk_size: Actions per sample, K.
        device: Where batches shall be.
    """

    def __init__(self, table: EpisodeTable, chunk_size: int, device: torch.device) -> None:
        self._device = device
        self._qpos, self._objects, self._actions, self._last_rows = (
            torch.from_numpy(array).to(device) for array in (table.qpos, table.objects, table.actions, table.last_rows)
        )
        self._readouts: Tensor | None = None
        self._robot = embodiment(table.spec)
        self._instructions = [entry.instruction for entry in table.entries]
        self._episode_of_row = table.episode_of_row
        self._offsets = torch.arange(chunk_size, device=device)

    def keep(self, readouts: Tensor) -> None:
        """Give these with the observations from now on, one for each row of the table, shape (N, ...)."""
        self._readouts = readouts

    def batch(self, rows: RowArray, images: Mapping[str, Tensor]) -> TrainingBatch:
        """The samples of some rows.

        Args:
            rows: Shape (B,).
            images: Camera -> (B, 3, H, W) uint8, already on the device.
        """
        at = torch.from_numpy(rows).to(self._device, non_blocking=True)
        observation = ObservationBatch(
            qpos=self._qpos[at],
            objects=self._objects[at],
            images=images,
            instructions=tuple(self._instructions[i] for i in self._episode_of_row[rows]),
            robot=self._robot,
            readout=None if self._readouts is None else self._readouts[at],
        )
        wanted = at[:, None] + self._offsets  # (B, K)
        last = self._last_rows[at][:, None]  # (B, 1)
        return TrainingBatch(
            observation=observation, actions=self._actions[torch.minimum(wanted, last)], is_pad=wanted > last
        )
