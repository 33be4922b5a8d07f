"""What an ACT episode file holds besides pixels; the writer and the reader share this table."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec, Episode

FORMAT_VERSION = 2
IMAGES = "/observations/images"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One dataset of the file.

    Attributes:
        path: Where it lies in the file.
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
                f"for an episode of {steps} steps. The file is damaged or was changed; record the episode again."
            )


FIELDS = (
    Field(path="/action", name="joint_actions", dtype="float32", per_joint=True),
    Field(path="/observations/qpos", name="qpos", dtype="float32", per_joint=True),
    Field(path="/observations/qvel", name="qvel", dtype="float32", per_joint=True),
    Field(path="/observations/objects", name="objects", dtype="float32", may_be_empty=True),
    Field(path="/action_ee", name="ee_actions", dtype="float32", may_be_empty=True),
    Field(path="/states", name="states", dtype="float64", extra_rows=1, compressed=True),
    Field(path="/stages", name="stages", dtype="int8", extra_rows=1, dimensions=1),
)


def fingerprints(
    episode: Episode, fields: Sequence[Field] = FIELDS, spec: Mapping[str, object] | None = None
) -> dict[str, str]:
    """SHA-256 of each field, and of the attributes together; stored, so that damage is noticed and named.

    Args:
        episode: Its arrays and attributes.
        fields: Which arrays.
        spec: The spec as the file has it, which may lack younger fields; None for the episode's own.
    """
    identity = [
        spec or episode.spec.to_dict(), episode.seed, episode.outcome, episode.stage,
        episode.model_sha256, dict(episode.versions),
    ]  # fmt: skip
    attributes = json.dumps(identity, sort_keys=True).encode()
    arrays = {field.path: getattr(episode, field.name).tobytes() for field in fields}
    return {name: hashlib.sha256(data).hexdigest() for name, data in {"attributes": attributes, **arrays}.items()}
