"""Names in a LIBERO file, what it holds besides pixels, and where a demonstration is: FILE/demo_I.

docs/datasets.md has the whole layout. Source: the files of LIBERO and robomimic.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.layout import PARTS
from ambidex.recorders.formats.fields import NAMED_FIELDS, Arrays, sha256_of_parts
from ambidex.recorders.hdf5.reading import Hdf5Source

FORMAT_VERSION = 1
PREFIX = "demo_"
DATA = "data"  # the group of all demonstrations
OBSERVATIONS = "obs"  # within a demonstration, as LIBERO has it
OWN = "ambidex"  # within a demonstration: what it takes to read the episode back; other readers ignore it
CONVENTIONS = {"upright": "opencv", "opengl": "opengl"}
"""Order of image rows -> robosuite's name for it; in OpenGL's order the lowest row comes first."""

IMAGE_KEYS = {"robot0_eye_in_hand": "eye_in_hand_rgb"}
"""Cameras whose images have another name in LIBERO than CAMERA_rgb."""


def demo_path(path: Path) -> Path:
    """FILE/demo_I of a demonstration, which a file with a single one stands for too.

    Raises:
        UsageError: A file with several demonstrations.
        DatasetError: It is missing, damaged or foreign.
    """
    if is_demo_path(path):
        return path
    demos = list(demos_in(path).values())
    if len(demos) != 1:
        example = demos[0] if demos else path / f"{PREFIX}0"
        raise UsageError(f"{path} holds {len(demos)} demonstrations.", f"Name one, e.g. {example}.", path=path)
    return demos[0]


def is_demo_path(path: Path) -> bool:
    """Whether a path is FILE/demo_I: a demonstration within a file."""
    return path.name.startswith(PREFIX) and path.parent.is_file()


def demos_in(file: Path) -> dict[int, Path]:
    """Number -> FILE/demo_I of the demonstrations of a file, in order.

    Raises:
        DatasetError: It is missing, damaged or foreign.
    """
    source = Hdf5Source(file)
    try:
        if not source.has(f"/{DATA}"):
            hint = "Expected one that record-episodes wrote."
            raise DatasetError(f"{file} is no LIBERO file: it has no group {DATA}.", hint, path=file)
        return _numbered(file / name for name in source.names(f"/{DATA}"))
    finally:
        source.close()


def part_files(directory: Path) -> dict[int, Path]:
    """Number -> file of the demonstrations that are not in the dataset's file yet, in order."""
    return _numbered((directory / PARTS).glob(f"{PREFIX}*.hdf5"))


def _numbered(paths: Iterable[Path]) -> dict[int, Path]:
    """Those called demo_I or demo_I.hdf5, by I."""
    matches = [(re.fullmatch(rf"{PREFIX}(\d+)(\.hdf5)?", path.name), path) for path in paths]
    return dict(sorted((int(match[1]), path) for match, path in matches if match is not None))


def image_keys(spec: EnvSpec) -> dict[str, str]:
    """Camera -> name of its images within the group `OBSERVATIONS`, in the spec's order."""
    return {camera: IMAGE_KEYS.get(camera, f"{camera}_rgb") for camera in spec.cameras}


def fingerprints(episode: Episode, arrays: Arrays, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each array of an episode, and of its attributes; see `sha256_of_parts`.

    Names are those within the demonstration: arrays of the group `OWN`, and those given, which LIBERO's loaders read.
    """
    own = {f"{OWN}/{field.path}": getattr(episode, field.name) for field in NAMED_FIELDS}
    return sha256_of_parts(episode, {**own, **arrays}, spec)
