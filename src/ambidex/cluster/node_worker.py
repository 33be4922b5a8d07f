"""What a Ray actor does on its node: jobs whose files it collects. Does not import Ray."""

import os
import pickle
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import replacing
from ambidex.worker_pool.process import SINGLE_THREADED
from ambidex.worker_pool.worker import attempt


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeFile:
    """A file that a job wrote.

    Attributes:
        path: Relative to the folder of the worker.
        content: Its bytes, shape (N,) uint8: Ray sends arrays without copies.
    """

    path: str
    content: npt.NDArray[np.uint8]

    def write(self, directory: Path) -> None:
        """Write it into another folder, whole or not at all.

        Raises:
            DatasetError: It cannot be written.
        """
        with replacing(directory / self.path) as temporary:
            temporary.write_bytes(self.content.data)


@dataclass(frozen=True, kw_only=True, eq=False)
class Delivery:
    """The result of a job or a `WorkerError`, and the files that the job wrote, in the order in which it wrote them."""

    result: object
    files: tuple[NodeFile, ...]


class NodeWorker:
    """Does jobs in a folder of this node, which exists only during a job that writes files.

    Args:
        pickled_factory: Makes the handler from that folder.
    """

    def __init__(self, pickled_factory: bytes) -> None:
        for name, value in SINGLE_THREADED.items():
            os.environ.setdefault(name, value)
        self._folder = Path(tempfile.gettempdir()) / f"ambidex-{secrets.token_hex(8)}"
        self._handler: Callable[[object], object] = pickle.loads(pickled_factory)(self._folder)

    def __call__(self, job: object) -> Delivery:
        """Do a job; nothing of it is left on the node."""
        try:
            result = attempt(self._handler, job)
            return Delivery(result=result, files=self._files())
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> tuple[NodeFile, ...]:
        paths = [path for path in self._folder.rglob("*") if path.is_file()]
        paths.sort(key=lambda path: path.stat().st_mtime_ns)
        return tuple(
            NodeFile(path=str(path.relative_to(self._folder)), content=np.fromfile(path, np.uint8)) for path in paths
        )
