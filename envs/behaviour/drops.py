"""Counts objects that fall from a gripper."""

from collections.abc import Callable, Set

DROP_HEIGHT = 0.03  # [m]; an object that is put down may be released a little above its support
DROP_TIME = 1.0  # [s]; an object that is pushed off the table later was not dropped


class DropCounter:
    """Counts drops: an object that a gripper held in the air falls by more than 3 cm within 1 s, held by no gripper.

    Args:
        control_hz: Control rate [Hz].

    Attributes:
        drops: Drops since the last `reset`.
    """

    def __init__(self, control_hz: float) -> None:
        self._limit = round(DROP_TIME * control_hz)
        self.reset()

    def reset(self) -> None:
        """Start a new episode."""
        self.drops = 0
        self._released: dict[int, tuple[float, int]] = {}  # object -> its last height while held, and steps since

    def update(self, height: Callable[[int], float], held: Set[int], in_air: Set[int]) -> None:
        """Count the drops that one more control step completes.

        Args:
            height: Object -> height of its centre of mass [m].
            held: Objects that are held by a gripper.
            in_air: Those of them that touch nothing but robots and other held objects.
        """
        for body in self._released.keys() - held:
            self._follow(body, height(body))
        for body in held:
            self._released.pop(body, None)
            if body in in_air:
                self._released[body] = (height(body), 0)

    def _follow(self, body: int, height: float) -> None:
        top, steps = self._released.pop(body)
        if top - height > DROP_HEIGHT:
            self.drops += 1
        elif steps + 1 < self._limit:
            self._released[body] = (top, steps + 1)
