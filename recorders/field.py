"""One array of an episode as a file holds it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError
from ambidex.recorders.remedy import remedy


@dataclass(frozen=True, kw_only=True)
class Field:
    """One dataset of the file.

    Attributes:
        path: Where it lies: from the file's root if it begins with a slash, else within the episode's own group.
        name: The attribute of `Episode` it holds.
        dtype: Its numpy type.
        extra_rows: Rows beyond T.
        dimensions: 1 or 2.
        per_joint: The second dimension counts joints.
        compressed: The original loader does not read it, so it may be compressed.
        may_be_empty: The second dimension may be 0: a world without objects, or commands that are no end-effector
            actions.
    """

    path: str
    name: str
    dtype: str
    extra_rows: int = 0
    dimensions: int = 2
    per_joint: bool = False
    compressed: bool = False
    may_be_empty: bool = False

    def check(self, file: Path, shape: tuple[int, ...], dtype: object, steps: int, spec: EnvSpec) -> None:
        """Raise DatasetError unless an array of this shape and type may be this field of a T-step episode."""
        width = [len(spec.joint_names) if self.per_joint else max(shape[1:2], default=0)]
        expected = (steps + self.extra_rows, *width[: self.dimensions - 1])
        empty = 0 in (shape[:1] if self.may_be_empty else shape)
        if shape != expected or dtype != np.dtype(self.dtype) or empty:
            raise DatasetError(
                f"{file}, field {self.path}: got {dtype} of shape {shape}, expected {self.dtype} of shape {expected} "
                f"for an episode of {steps} steps. The file is damaged or was changed. {remedy(file)}"
            )
