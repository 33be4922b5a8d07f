"""What a LIBERO file holds besides pixels; the writer and the reader share these tables.

Source: facts on LIBERO's and robomimic's files, section 3; docs/datasets.md has the whole layout.
"""

from collections.abc import Mapping
from dataclasses import replace

from ambidex.envs.types import EnvSpec, Episode
from ambidex.recorders.act_fields import FIELDS
from ambidex.recorders.field import Field
from ambidex.recorders.fingerprints import Arrays, digests

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


def image_key(camera: str) -> str:
    """The name of a camera's images within the group `OBSERVATIONS`."""
    return IMAGE_KEYS.get(camera, f"{camera}_rgb")


def image_keys(spec: EnvSpec) -> dict[str, str]:
    """Camera -> name of its images, in the spec's order."""
    return {camera: image_key(camera) for camera in spec.cameras}


def fingerprints(episode: Episode, shown: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array, by its name within the demonstration, and of what the attributes say; see `digests`.

    Args:
        episode: What is stored in the group `OWN`.
        shown: The arrays that LIBERO's loaders read.
        spec: The spec as the file has it; None for the episode's own.
    """
    own = {f"{OWN}/{field.path}": getattr(episode, field.name) for field in OWN_FIELDS}
    return digests(episode, {**own, **shown}, spec)
