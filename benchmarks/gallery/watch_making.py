"""How far the making of a video is."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Making:
    """How far the making of a video is.

    Attributes:
        ready: The video is there.
        done: Frames done.
        total: Frames in all; 0 while it waits for another video.
        error: Why it could not be made; empty if nothing went wrong.
    """

    ready: bool = False
    done: int = 0
    total: int = 0
    error: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)
