"""A LIBERO file as a sequence of episodes."""

from collections.abc import Iterator
from pathlib import Path

from ambidex.recorders.libero_place import demos_of
from ambidex.recorders.libero_reader import LiberoDemo


class DemoFile:
    """The demonstrations of a LIBERO file that this project wrote, by number. Opened when asked for; close them.

    Attributes:
        path: The file.
        paths: Its demonstrations, FILE/demo_I.
    """

    def __init__(self, path: Path) -> None:
        """Look which demonstrations there are.

        Raises:
            DatasetError: The file is missing, damaged or foreign.
        """
        self.path = path
        self.paths = tuple(path / name for name in demos_of(path))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> LiberoDemo:
        return LiberoDemo(self.paths[index])

    def __iter__(self) -> Iterator[LiberoDemo]:
        """Each demonstration in turn, open while it is its turn."""
        for path in self.paths:
            with LiberoDemo(path) as demo:
                yield demo
