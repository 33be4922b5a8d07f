"""The pool of Ray actors behind --cluster. Importing this module imports Ray."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import ray

from ambidex.cluster.connection import connected
from ambidex.cluster.ray_worker import RayWorker, actor_class
from ambidex.errors import AmbidexError
from ambidex.text import pluralize
from ambidex.worker_pool.job_pool import JobPool, Ticket, WorkerStartError, pickled

Job = TypeVar("Job")
Result = TypeVar("Result")
SCHEDULING_S = 300.0  # for Ray to start the first actor, and for that to make its handler [s]


class RayPool(JobPool[Job, Result, RayWorker[Ticket[Job]]]):
    """A pool of actors with one CPU each. Arguments are those of `start_pool`.

    The actors of a lost node are replaced on other nodes when these have a free CPU, also nodes that join later.

    Raises:
        UsageError: The factory cannot be sent to nodes, or this process is connected to another cluster.
        AmbidexError: There is no cluster, or it has no CPU.
    """

    def __init__(
        self,
        make_handler: Callable[[Path], Callable[[Job], Result]],
        directory: Path,
        *,
        jobs: int,
        workers: int | None,
        cluster: str,
    ) -> None:
        super().__init__()
        self._directory, self._cluster, self._exit = directory, cluster, ExitStack()
        factory = pickled(make_handler, ray.cloudpickle.dumps)
        with ExitStack() as exit_stack:
            exit_stack.enter_context(connected(cluster))
            self._kind, self._factory = actor_class(), ray.put(factory)
            self._workers = [self._new_worker() for _ in range(min(workers or self._cpus(), jobs))]
            self._exit = exit_stack.pop_all()

    @property
    def note(self) -> str:
        """How many actors there are, and for which nodes."""
        nodes = sum(node["Alive"] and "CPU" in node["Resources"] for node in ray.nodes())
        actors, cpus = pluralize(self.size, "actor"), pluralize(self._cpus(), "CPU")
        return f"--cluster {self._cluster}: {actors} on a cluster of {cpus} on {pluralize(nodes, 'node')}."

    def close(self) -> None:
        """End the actors, and the connection if this pool made it. Safe to call twice."""
        with self._exit:
            super().close()

    def _cpus(self) -> int:
        cpus = int(ray.cluster_resources().get("CPU", 0))
        if not cpus:
            problem = f"--cluster {self._cluster}: the Ray cluster has no CPU."
            raise AmbidexError(problem, "Add a node with `ray start --address HOST:6379`.", got=cpus)
        return cpus

    def _new_worker(self) -> RayWorker[Ticket[Job]]:
        return RayWorker(self._kind, self._factory, self._directory)

    def _workers_with_reply(self) -> list[RayWorker[Ticket[Job]]]:
        expected = {worker.reply: worker for worker in self._workers if worker.reply is not None}
        ray.wait(list(expected), timeout=SCHEDULING_S)
        received, _ = ray.wait(list(expected), num_returns=len(expected), timeout=0)
        if not received and not any(worker.ready for worker in self._workers):
            problem = f"--cluster {self._cluster}: no actor could start within {SCHEDULING_S:.0f} s."
            hint = "`ray status` says which CPUs are in use. Give --resume when some are free."
            raise AmbidexError(problem, hint, cpus=ray.cluster_resources().get("CPU", 0))
        return [expected[reply] for reply in received]

    def _start_error(self, cause: str) -> AmbidexError:
        return WorkerStartError(f"A Ray actor ended during start-up ({cause}).")
