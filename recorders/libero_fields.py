"""What a LIBERO file holds besides pixels; the writer and the reader share these tables.

Source: facts on LIBERO's and robomimic's files, section 3; docs/datasets.md has the whole layout.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ambidex.envs.types import EnvSpec, Episode
from ambidex.recorders.act_fields import FIELDS, Field

FORMAT_VERSION = 1
DATA = "data"  # the group of all demonstrations
OBSERVATIONS = "obs"  # within a demonstration, as LIBERO has it
OWN = "ambidex"  # within a demonstration: what it takes to read the episode back; others pass it by
CONVENTIONS = {"upright": "opencv", "opengl": "opengl"}
"""Order of image rows -> robosuite's name for it; in OpenGL's order the lowest row comes first."""

OWN_FIELDS: tuple[Field, ...] = tuple(replace(field, path=field.name, compressed=True) for field in FIELDS)
"""The fields of an episode, within the group `OWN`."""

IMAGE_KEYS = {"robot0_eye_in_hand": "eye_in_hand_rgb"}
"""Cameras whose images LIBERO calls otherwise than CAMERA_rgb."""

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
"""Name of a dataset within a demonstration -> its values."""


def image_key(camera: str) -> str:
    """The name of a camera's images within the group `OBSERVATIONS`."""
    return IMAGE_KEYS.get(camera, f"{camera}_rgb")


def image_keys(spec: EnvSpec) -> dict[str, str]:
    """Camera -> name of its images, in the spec's order."""
    return {camera: image_key(camera) for camera in spec.cameras}


def fingerprints(episode: Episode, shown: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array, and of what the attributes say; stored, so that damage is noticed and named.

    Args:
        episode: What is stored in the group `OWN`.
        shown: The arrays that LIBERO's loaders read.
        spec: The spec as the file has it, which may lack younger fields; None for the episode's own.
    """
    identity = [
        spec or episode.spec.to_dict(), episode.seed, episode.outcome, episode.stage,
        episode.model_sha256, dict(episode.versions),
    ]  # fmt: skip
    parts = {"attributes": json.dumps(identity, sort_keys=True).encode()}
    parts |= {f"{OWN}/{field.path}": getattr(episode, field.name).tobytes() for field in OWN_FIELDS}
    parts |= {name: array.tobytes() for name, array in shown.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
