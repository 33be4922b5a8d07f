"""The arrays and attributes of an episode as a file holds them, with fingerprints that reveal damage."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ambidex.codec import to_json
from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
"""Name of a dataset -> its values."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One array of an episode, a dataset of the file.

    Attributes:
        path: Its name: from the file's root if it starts with a slash, else within the episode's own group.
        name: The attribute of `Episode` it holds.
        dtype: Its numpy type.
        extra_rows: Rows beyond T.
        dimensions: 1 or 2.
        per_joint: The second dimension counts joints.
        compressed: It is stored compressed, which the original loaders need not know: they do not read it.
        may_be_empty: The second dimension may be 0: a scene without objects, joint commands that have no end-effector
            actions, or what another program did not store.
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
        left_out = self.may_be_empty and shape[1:] == (0,)
        width = [len(spec.joint_names) if self.per_joint and not left_out else max(shape[1:2], default=0)]
        expected = (steps + self.extra_rows, *width[: self.dimensions - 1])
        empty = 0 in (shape[:1] if self.may_be_empty else shape)
        if shape != expected or dtype != np.dtype(self.dtype) or empty:
            raise array_error(file, self.path, (dtype, shape), (np.dtype(self.dtype), expected))

    def check_finite(self, file: Path, array: "np.ndarray[Any, Any]") -> None:
        """Raise DatasetError if a number of this field is NaN or infinite."""
        if array.dtype.kind != "f" or np.isfinite(array).all():
            return
        step, *dimension = map(int, np.argwhere(~np.isfinite(array))[0])
        where = f"step {step}, dimension {dimension[0]}" if dimension else f"step {step}"
        problem = f"{file}, field {self.path}, {where}: got {array[step, *dimension]}, expected a finite number."
        facts = {"path": file, "field": self.path, "step": step, "dimension": dimension[0] if dimension else None}
        raise DatasetError(problem, repair_hint(file), **facts)


FIELDS: tuple[Field, ...] = (
    Field(path="/action", name="joint_actions", dtype="float32", per_joint=True),
    Field(path="/observations/qpos", name="qpos", dtype="float32", per_joint=True),
    Field(path="/observations/qvel", name="qvel", dtype="float32", per_joint=True),
    Field(path="/observations/objects", name="objects", dtype="float32", may_be_empty=True),
    Field(path="/action_ee", name="ee_actions", dtype="float32", may_be_empty=True),
    Field(path="/states", name="states", dtype="float64", extra_rows=1, compressed=True),
    Field(path="/stages", name="stages", dtype="int8", extra_rows=1, dimensions=1),
)
"""The arrays of every episode, with their places in the ACT format."""

NAMED_FIELDS = tuple(replace(field, path=field.name, compressed=True) for field in FIELDS)
"""The same under their own names, compressed, within a group that only this project reads."""


def array_error(file: Path, field: str, got: tuple[object, object], expected: tuple[object, object]) -> DatasetError:
    """The error for an array whose type and shape are not the expected ones."""
    problem = (
        f"{file}, field {field}: got {got[0]} of shape {got[1]}, expected {expected[0]} of shape {expected[1]}. "
        "The file is damaged or was changed."
    )
    return DatasetError(problem, repair_hint(file), path=file, field=field, got=got, expected=expected)


def check_fields(path: Path, episode: Episode, fields: tuple[Field, ...]) -> None:
    """Raise DatasetError unless the arrays of an episode fit together, before they are written to `path`."""
    for field in fields:
        array = getattr(episode, field.name)
        field.check(path, array.shape, array.dtype, episode.steps, episode.spec)
        field.check_finite(path, array)


def episode_attributes(episode: Episode, version: int, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of an episode in a file; the fingerprints are those of `sha256_of_parts`."""
    return {
        "task": episode.spec.task,
        "seed": np.int64(episode.seed),
        "success": np.bool_(episode.success),
        "outcome": str(episode.outcome),
        "stage": np.int64(episode.stage),
        "instruction": episode.spec.instruction,
        "env_spec": json.dumps(to_json(episode.spec)),
        "model_sha256": episode.model_sha256,
        "versions": json.dumps(dict(episode.versions), sort_keys=True),
        "format_version": np.int64(version),
        "sha256": json.dumps(fingerprints),
        **{name: json.dumps(value, sort_keys=True) for name, value in _added(episode).items()},
    }


def _added(episode: Episode) -> dict[str, object]:
    """What only some episodes have, by the name of the attribute: files of all others are as they were without it."""
    found = {
        "perturbed": {axis: dict(drawn) for axis, drawn in episode.perturbed.items()},
        "look": episode.look or None,
        "source_episode": episode.source_episode,
        "taken_over": to_json(episode.taken_over) if episode.taken_over else None,
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def sha256_of_parts(episode: Episode, arrays: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array under its name, and of the attributes together under "attributes".

    `spec` is the spec as the file has it, which may lack fields added later; None for the episode's own.
    """
    identity = [
        spec or to_json(episode.spec), episode.seed, episode.outcome, episode.stage,
        episode.model_sha256, dict(episode.versions), *([added] if (added := _added(episode)) else []),
    ]  # fmt: skip
    attributes = json.dumps(identity, sort_keys=True).encode()
    parts = {"attributes": attributes} | {name: array.tobytes() for name, array in arrays.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
