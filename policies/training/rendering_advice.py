"""The commands that make the images that a policy needs."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.text import first_few

VIEWS: Mapping[str, tuple[str, tuple[int, int]]] = {
    "aloha": ("top", (120, 160)),
    "libero": ("agentview", (128, 128)),
}
"""Task family -> the camera to begin with, and a size that is quick to learn from, height and width [px]."""


def rendering_commands(specs: Mapping[Path, EnvSpec], cameras: Iterable[str] = ()) -> str:
    """A command for each dataset, as it can be typed; of many, the first.

    Args:
        specs: By dataset.
        cameras: Those to render; none for that of the family.
    """
    return first_few([f"`{_command(path, spec, tuple(cameras))}`" for path, spec in specs.items()])


def _command(path: Path, spec: EnvSpec, cameras: tuple[str, ...]) -> str:
    camera, size = VIEWS[spec.family]
    size_flags = [] if spec.cameras else ["--image-size", *map(str, size)]  # else the size is that of the dataset
    words = ["render-episodes", str(path), "--cameras", *(cameras or (camera,)), *size_flags]
    return shlex.join([*words, "--output-dir", f"{path}_images"])
