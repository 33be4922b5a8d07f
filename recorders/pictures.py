"""Are the stored pictures of an episode whole?"""

from dataclasses import dataclass

from ambidex.errors import DatasetError
from ambidex.recorders.stored_episode import StoredEpisode

SHOWN = 5  # damaged frames of a camera that are named


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What reading the pictures of an episode gave.

    Attributes:
        count: How many there are.
        damaged: How many of them cannot be read, or differ from their checksum.
        said: One paragraph on those: the first error, and the frames of each camera; empty if there are none.
    """

    count: int
    damaged: int
    said: str

    @property
    def whole(self) -> bool:
        """None is damaged."""
        return self.damaged == 0

    @property
    def in_words(self) -> str:
        """For a table; "-" where there are no pictures."""
        if not self.count:
            return "-"
        return "whole" if self.whole else f"{self.damaged} of {self.count} damaged"


def check_pictures(stored: StoredEpisode) -> Pictures:
    """Read every picture of an open episode against its checksum, and decode it."""
    errors = {camera: _errors(stored, camera) for camera in stored.cameras}
    damaged = {camera: found for camera, found in errors.items() if found}
    said = ""
    if damaged:
        first = next(iter(next(iter(damaged.values())).values()))
        said = f"Damaged pictures, {'; '.join(_named(camera, [*found]) for camera, found in damaged.items())}: {first}"
    return Pictures(count=len(errors) * stored.steps, damaged=sum(map(len, damaged.values())), said=said)


def _errors(stored: StoredEpisode, camera: str) -> dict[int, str]:
    """Frame -> what is wrong with it."""
    found = {}
    for t in range(stored.steps):
        try:
            stored.frame(camera, t)
        except DatasetError as error:
            found[t] = str(error)
    return found


def _named(camera: str, frames: list[int]) -> str:
    more = f" and {len(frames) - SHOWN} more" if len(frames) > SHOWN else ""
    plural = "frame" if len(frames) == 1 else "frames"
    return f"{camera} {plural} {', '.join(map(str, frames[:SHOWN]))}{more}"
