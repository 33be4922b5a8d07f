"""What can be tried until it works."""

from typing import Protocol

from ambidex.scripted_policies.libero.hand import Motion


class Skill(Protocol):
    """A skill for one job. Attempt n takes the n-th way of doing it."""

    def motion(self, attempt: int) -> Motion:
        """One try; true if it seems to have worked. Ends with the hand free and off everything."""
        ...
