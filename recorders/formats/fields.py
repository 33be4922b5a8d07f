"""One array of an episode as a file holds it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ambidex.codec import to_json
from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import remedy


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


# FOLDED recorders.fingerprints: Fingerprints of what a file holds of an episode; stored with it, so that damage is noticed and named.

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
"""Name of a dataset -> its values."""


def digests(episode: Episode, arrays: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array under its name, and of what the attributes say under "attributes".

    Args:
        episode: Whose attributes.
        arrays: What is stored.
        spec: The spec as the file has it, which may lack younger fields; None for the episode's own.
    """
    parts = {"attributes": _attributes(episode, spec)} | {name: array.tobytes() for name, array in arrays.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}


def _attributes(episode: Episode, spec: Mapping[str, object] | None) -> bytes:
    identity = [
        spec or to_json(episode.spec), episode.seed, episode.outcome, episode.stage,
        episode.model_sha256, dict(episode.versions),
    ]  # fmt: skip
    return json.dumps(identity, sort_keys=True).encode()
