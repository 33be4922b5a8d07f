"""The side of a Ray actor that is in the process of the command."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import RayActorError, RayError

from ambidex.cluster.node_worker import Delivery
from ambidex.errors import UsageError
from ambidex.output_folder import versions
from ambidex.worker_pool.worker import WorkerError, describe

Task = TypeVar("Task")
NODE_DIED = "its node has died"  # in the message of Ray's error


def actor_class() -> Any:
    """The class of the actors. It is made here so that Ray sends its code: a node may have another ambidex, or none."""

    class Actor:
        def start(self, expected: dict[str, str], pickled_factory: bytes) -> tuple[str, str, dict[str, str], Any]:
            """Address and id of the node, its versions, and the error if there is no handler."""
            import platform

            import ray

            context = ray.get_runtime_context()
            node = f"{ray.util.get_node_ip_address()} ({platform.node()})", context.get_node_id()
            try:
                from ambidex.output_folder import versions

                found = versions()
            except ImportError:
                found = {"ambidex": "not installed", "python": platform.python_version()}
            if found != expected:
                return *node, found, None
            from ambidex.cluster.node_worker import NodeWorker
            from ambidex.worker_pool.worker import describe

            try:
                self._worker = NodeWorker(pickled_factory)
            except Exception as exception:  # the parent decides what an error means
                return *node, found, describe(exception)
            return *node, found, None

        def run(self, job: object) -> object:
            return self._worker(job)

    return ray.remote(Actor).options(num_cpus=1)


class RayWorker(Generic[Task]):
    """One actor, see `Worker`.

    Args:
        kind: The class of actors.
        pickled_factory: What they make their handlers with, in Ray's object store.
        directory: Where files that jobs wrote are put.

    Attributes:
        reply: What Ray will store the next reply under; None while the actor is idle.
    """

    def __init__(self, kind: Any, pickled_factory: Any, directory: Path) -> None:
        self.ready, self.machine_lost = False, False
        self.task: Task | None = None
        self._directory, self._node_id, self._cause = directory, "", "it was ended"
        self._actor = kind.remote()
        self.reply: Any = self._actor.start.remote(versions(), pickled_factory)

    def send(self, task: Task, job: object) -> None:
        self.task = task
        self.reply = self._actor.run.remote(job)

    def receive(self) -> object:
        """As in `Worker`; the files of a job are written when its result is returned.

        Raises:
            EOFError: The actor has died.
            UsageError: Its node has other versions of packages than this process.
            DatasetError: A file cannot be written.
        """
        reply, self.reply = self.reply, None
        try:
            received = ray.get(reply)
        except RayActorError as error:
            self._note_death(error)
            raise EOFError from error
        except RayError as error:  # a result that cannot be sent
            return describe(error)
        return self._deliver(received) if self.ready else self._started(*received)

    def end(self) -> str:
        """End the actor, busy or not; returns how it ended."""
        with suppress(RayError):
            ray.kill(self._actor)
        return self._cause

    def _started(self, node: str, node_id: str, found: dict[str, str], error: WorkerError | None) -> WorkerError | None:
        self._node_id = node_id
        check_versions(node, found)
        if error is None:
            return None
        return WorkerError(message=f"{error.message} (on node {node})", traceback=error.traceback, kind=error.kind)

    def _deliver(self, delivery: Delivery) -> object:
        for file in delivery.files:
            file.write(self._directory)
        return delivery.result

    def _note_death(self, error: RayActorError) -> None:
        lines = str(error).splitlines()
        self._cause = next((line.strip() for line in reversed(lines) if "died" in line), lines[0])
        lost = {node["NodeID"] for node in ray.nodes() if not node["Alive"]}
        self.machine_lost = NODE_DIED in str(error) or self._node_id in lost


def check_versions(node: str, found: dict[str, str]) -> None:
    """Raise a UsageError that names what differs, unless a node has the versions of this process."""
    expected = versions()
    if found != expected:
        there = {name: found.get(name, "unknown") for name in expected}
        differ = [f"{name} {there[name]} there, {here} here" for name, here in expected.items() if there[name] != here]
        problem = f"Node {node} of the Ray cluster has other versions than this machine: {'; '.join(differ)}."
        hint = "Install the same versions everywhere: episodes could end differently."
        raise UsageError(problem, hint, node=node, got=found, expected=expected)
