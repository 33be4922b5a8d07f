"""Files of the original ACT code and of mobile-aloha: one episode each, with images, qpos and action."""

from contextlib import closing
from pathlib import Path

from ambidex.recorders.formats.foreign.demonstration import EpisodeGroups
from ambidex.recorders.formats.foreign.description import Values
from ambidex.recorders.formats.foreign.hdf5 import Hdf5Kind, images_in
from ambidex.recorders.hdf5.reading import Hdf5Source

OBSERVATIONS, IMAGES = "/observations", "/observations/images"
OWN = ("env_spec", "format_version", "model_sha256")  # attributes of ambidex


class ForeignAct(Hdf5Kind):
    """A folder of episode_I.hdf5."""

    name = "act"

    def matches(self, source: Hdf5Source) -> bool:
        return source.has(OBSERVATIONS) and not any(map(source.has_attribute, OWN))

    def episodes_in(self, file: Path) -> list[Path]:
        return [file]

    def groups(self, path: Path) -> EpisodeGroups:
        return EpisodeGroups(file=path, actions="", observations=OBSERVATIONS, images=IMAGES)

    def dataset_of(self, file: Path) -> Path:
        return file.parent

    def said(self, path: Path) -> Values:
        with closing(Hdf5Source(self.first(path))) as source:
            cameras = {name: name for name in images_in(source, IMAGES)}
            jpeg = any(source.dataset(f"{IMAGES}/{name}").ndim == 2 for name in cameras)
        values = {"state": ["qpos"], "action": ["action"], "cameras": cameras}
        return {**values, "images": "upright", "observed": "before", "success": "all", "colours": "" if jpeg else "rgb"}
