"""How a dataset lies on disk."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a dataset lies on disk.

    Attributes:
        format: Registered name, "act" or "libero".
        storage: How images are stored: "lossless", "jpeg" or "raw".
        image_convention: Order of the rows of stored images: "upright", or "opengl" for the lowest first. What is
            read back is upright either way.
    """

    format: str
    storage: str
    image_convention: str = "upright"
