"""Connects this process to a Ray cluster, and starts one on this machine if there is none."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from ambidex.cluster.address import RAY, check_head_node
from ambidex.errors import AmbidexError, UsageError
from ambidex.text import first_line
from ambidex.worker_pool.ending import STOP_SIGNALS


@contextmanager
def connected(cluster: str) -> Iterator[None]:
    """Be connected to a cluster within the block.

    A connection that this process has already is used for "ray", and stays. A cluster that is started here ends with
    the block; others go on.

    Args:
        cluster: The value of --cluster. "ray" is the cluster of RAY_ADDRESS, else one that runs on this machine, else a
            new one.

    Raises:
        UsageError: This process has a connection already, or has another version of Ray or Python than the cluster.
        AmbidexError: There is no cluster at this address.
    """
    if ray.is_initialized():
        if cluster != RAY:
            problem = f"--cluster {cluster}: this process is connected to a Ray cluster already."
            raise UsageError(problem, f"Give {RAY} to use that connection.", field="cluster", got=cluster)
        yield
        return
    check_head_node(cluster)
    with _handlers_kept():
        _connect(cluster)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(cluster: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers by a cluster of ours
    address = None if cluster == RAY else cluster
    try:
        ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises plain ones too
        ray.shutdown()
        problem = f"--cluster {cluster}: this process could not connect:"
        if "ersion" in str(error):  # "Version mismatch: ..." with the versions of Ray and Python on both sides
            hint = "Install the same versions of Ray and Python here and on all nodes."
            both = " ".join(str(error).split())
            raise UsageError(f"{problem} {both}", hint, field="cluster", got=cluster) from error
        hint = (
            "`ray status` on the head node says whether it runs. If the cluster asks for a token, copy "
            "~/.ray/auth_token from that node and set RAY_AUTH_MODE=token; if it does not, unset it."
        )
        cause = first_line(str(error)).rstrip(".")
        raise AmbidexError(f"{problem} {cause}.", hint, address=cluster) from error


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Restore the handlers of stop signals, which Ray replaces: it would end the command without its last words."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS} if in_main_thread else {}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
