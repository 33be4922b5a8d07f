"""Where a demonstration of a LIBERO dataset lies: in a file of its own, or in one with many."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.formats.act import FIELDS
from ambidex.recorders.formats.fields import Arrays, Field, digests
from ambidex.recorders.hdf5.reading import Hdf5Source

PREFIX = "demo_"


@dataclass(frozen=True, kw_only=True)
class LiberoPlace:
    """One demonstration.

    Attributes:
        file: The file.
        demo: Its group in there, "demo_I".
    """

    file: Path
    demo: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """The place a path means: FILE/demo_I, or a file with one demonstration.

        Raises:
            UsageError: A file with several demonstrations.
            DatasetError: It is missing, damaged or foreign.
        """
        if within_file(path):
            return cls(file=path.parent, demo=path.name)
        demos = demos_of(path)
        if len(demos) != 1:
            raise UsageError(
                f"{path} holds {len(demos)} demonstrations. Name one, e.g. {path / (demos or [f'{PREFIX}0'])[0]}."
            )
        return cls(file=path, demo=demos[0])


def within_file(path: Path) -> bool:
    """Whether a path means a demonstration within a file."""
    return path.name.startswith(PREFIX) and path.parent.is_file()


def demos_of(file: Path) -> list[str]:
    """The demonstrations of a file, by number.

    Raises:
        DatasetError: It is missing, damaged or foreign.
    """
    source = Hdf5Source(file)
    try:
        if not source.has(f"/{DATA}"):
            raise DatasetError(
                f"{file} is no LIBERO file: it has no group {DATA}. Expected one that record-episodes wrote."
            )
        names = [name for name in source.names(f"/{DATA}") if demo_index(name) is not None]
        return sorted(names, key=lambda name: (len(name), name))
    finally:
        source.close()


def demo_index(name: str) -> int | None:
    """The number in "demo_I"; None for another name."""
    digits = name.removeprefix(PREFIX)
    return int(digits) if digits.isdecimal() and name.startswith(PREFIX) else None


# FOLDED recorders.libero_fields: What a LIBERO file holds besides pixels; the writer and the reader share these tables.
#
# Source: facts on LIBERO's and robomimic's files, section 3; docs/datasets.md has the whole layout.

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
