"""Runs a benchmark whose workers are synthetic: pipes to two processes, which answer every job with a stored row.

Usage: python many_workers.py FOLDER WORKERS EPISODES [each]. At the end it prints the rows that were stored per second;
with `each`, also the seed of each row that is stored.
"""

import os
import pickle
import sys
import time
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path

from results_folder import make_row

from ambidex.benchmarks.evaluation import benchmark as module
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.worker_pool.job_pool import JobPool

PROCESSES = 2


class SyntheticWorker:
    """The driver's end of a pipe; see `ambidex.worker_pool.worker.Worker`."""

    machine_lost = False

    def __init__(self, connection):
        self.connection, self.ready, self.task = connection, False, None

    def send(self, task, job):
        self.task = task
        self.connection.send(job)

    def receive(self):
        return self.connection.recv()

    def end(self):
        self.connection.close()
        return "exit status 0"


class SyntheticPool(JobPool):
    """Workers whose jobs take no time; the classes of the product hand out the jobs and store the rows."""

    def __init__(self, workers):
        super().__init__()
        pipes = [Pipe() for _ in range(workers)]
        for i in range(PROCESSES):
            if os.fork() == 0:
                for ours, _ in pipes:
                    ours.close()
                for j, (_, theirs) in enumerate(pipes):
                    if j % PROCESSES != i:
                        theirs.close()
                _serve([theirs for _, theirs in pipes[i::PROCESSES]])
        for _, theirs in pipes:
            theirs.close()
        self._workers = [SyntheticWorker(ours) for ours, _ in pipes]

    def _new_worker(self):
        raise AssertionError("no worker dies")

    def _workers_with_reply(self):
        workers = {worker.connection: worker for worker in self._workers}
        return [workers[connection] for connection in wait(list(workers))]

    def _start_error(self, cause):
        raise AssertionError(cause)


def _serve(connections):
    """Answer each (task, seed) with a row until the driver is gone."""
    row = make_row(task="transfer_cube")
    try:
        for connection in connections:
            connection.send(None)
        while True:
            for connection in wait(connections):
                _, seed = pickle.loads(connection.recv_bytes())
                connection.send(replace(row, seed=seed))
    except (EOFError, OSError):
        os._exit(0)


def main(folder, workers, episodes, *, each):
    """Run the benchmark, as `run-benchmark --policy hold` does."""
    append, times = ResultsFolder.append, []

    def append_and_say(self, row):
        append(self, row)
        times.append(time.perf_counter())
        if each:
            os.write(1, f"{row.seed}\n".encode())

    ResultsFolder.append = append_and_say
    module.start_pool = lambda *args, **kwargs: SyntheticPool(workers)
    module._with_page = lambda plan, results, summary: summary
    config = BenchmarkConfig(
        policy="hold", task="transfer_cube", episodes=episodes, output_dir=folder, video="none", quiet=True, resume=True
    )
    module.benchmark(config)
    os.write(1, f"{(len(times) - 1) / (times[-1] - times[0]):.0f} rows/s\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), each="each" in sys.argv[4:])
