"""What decides which environment is made."""

from pathlib import Path
from typing import Protocol


class EnvironmentChoice(Protocol):
    """The arguments of `make` as fields of a value; specs have them, and so have the configs of commands.

    Attributes:
        task: Registered task name.
        control: Control mode; None for the family's default.
        cameras: Camera names; None for the family's default.
        image_size: Height and width [px]; None for the family's default.
        render_quality: "standard" or "studio".
        spread: "published" or "wide" reset distribution.
        success: Criterion of success, "strict" or "libero".
        init_states: File of initial states; None or "" for none.
    """

    @property
    def task(self) -> str: ...
    @property
    def control(self) -> str | None: ...
    @property
    def cameras(self) -> tuple[str, ...] | None: ...
    @property
    def image_size(self) -> tuple[int, int] | None: ...
    @property
    def render_quality(self) -> str: ...
    @property
    def spread(self) -> str: ...
    @property
    def success(self) -> str: ...
    @property
    def init_states(self) -> str | Path | None: ...
