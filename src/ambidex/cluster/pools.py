"""Starts the pool of workers that --cluster asks for: processes of this machine, or Ray actors."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ambidex.errors import MissingPackageError
from ambidex.worker_pool.job_pool import JobPool
from ambidex.worker_pool.pool import Pool, worker_count

Job = TypeVar("Job")
Result = TypeVar("Result")


def start_pool(
    make_handler: Callable[[Path], Callable[[Job], Result]],
    directory: Path,
    *,
    jobs: int,
    workers: int | None,
    cluster: str | None,
) -> JobPool[Job, Result, Any]:
    """Start workers; use the pool as a context manager, which ends them.

    Args:
        make_handler: Makes the handler of one worker from the folder into which it writes files.
        directory: That folder. An actor gets a temporary folder of its node in its place, and what a job writes there
            is in `directory` when its result is returned.
        jobs: How many jobs there will be; there are no more workers than that.
        workers: Number of workers; None for one per usable CPU, of the cluster if there is one.
        cluster: The value of --cluster; None for processes.

    Raises:
        MissingPackageError: Ray is not installed.
        UsageError: The workers or what is sent to them are impossible.
        AmbidexError: There is no such cluster, or it has no CPU.
    """
    if cluster is None:
        return Pool(partial(make_handler, directory), worker_count(workers, jobs))
    try:
        from ambidex.cluster.ray_pool import RayPool  # needs the extra `ray`
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "ray", f"--cluster {cluster}") from error
    return RayPool(make_handler, directory, jobs=jobs, workers=workers, cluster=cluster)
