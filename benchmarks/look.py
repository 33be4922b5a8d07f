"""How videos of stored episodes look."""

from dataclasses import dataclass, replace

from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec


@dataclass(frozen=True, kw_only=True)
class Look:
    """How videos of stored episodes look.

    Attributes:
        cameras: What they show, side by side; empty for the first camera of the task's family.
        image_size: Height and width of each camera [px].
        quality: "standard" or "studio".
    """

    cameras: tuple[str, ...] = ()
    image_size: tuple[int, int] = (240, 320)
    quality: str = "standard"

    def spec(self, spec: EnvSpec) -> EnvSpec:
        """The spec of an environment that renders so."""
        return replace(
            spec,
            cameras=self.cameras or FAMILIES[spec.family].cameras[:1],
            image_size=self.image_size,
            render_quality=self.quality,
            init_states="",
            init_states_sha256="",
        )

    def folder(self, spec: EnvSpec) -> str:
        """A name for the videos of this look, e.g. "top-240x320-standard"."""
        height, width = self.image_size
        return f"{'+'.join(self.spec(spec).cameras)}-{height}x{width}-{self.quality}"
