"""When checks that hold amount to success."""


class Verdict:
    """Counts for how long all checks have held.

    Args:
        hold_steps: Control steps on end for which they must hold; at least one counts.
        latches: Success, once reached, stays.
    """

    def __init__(self, *, hold_steps: int, latches: bool) -> None:
        self._hold_steps, self._latches = max(1, hold_steps), latches
        self.begin()

    def begin(self) -> None:
        """Forget everything: an episode begins."""
        self._held, self._reached = 0, False

    def after(self, holds: bool) -> bool:
        """Whether success holds after one more control step, at whose end all checks hold or do not."""
        self._held = self._held + 1 if holds else 0
        now = self._held >= self._hold_steps
        self._reached = self._reached or now
        return self._reached if self._latches else now
