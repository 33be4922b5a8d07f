"""Pictures that programs write."""

from pathlib import Path

from PIL import Image

from ambidex.atomic_files import replacing
from ambidex.envs.types import ImageArray
from ambidex.errors import UsageError

ENDINGS = (".jpg", ".png")


def check_picture_name(path: Path) -> None:
    """Refuse an --output of another kind.

    Raises:
        UsageError: Says which there are.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"--output {path}: expected a name that ends in {' or '.join(ENDINGS)}.")


def write_picture(path: Path, picture: ImageArray) -> None:
    """Write a picture, shape (H, W, 3) uint8 RGB, whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    kind, options = ("JPEG", {"quality": 90}) if path.suffix == ".jpg" else ("PNG", {})
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, kind, optimize=True, **options)
