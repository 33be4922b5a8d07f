"""The flag --cluster: its values, and the hosts that they name."""

import os
import re
import socket

from ambidex.errors import AmbidexError, UsageError

RAY = "ray"
RAY_ADDRESS = "RAY_ADDRESS"  # environment variable of Ray
CONNECT_S = 10.0  # for a head node to accept a connection [s]
ELSEWHERE = ("192.0.2.1", 9)  # an address of no machine (RFC 5737); nothing is sent there


def check_cluster(cluster: str | None, workers: int | None) -> None:
    """Raise a UsageError unless the values of --cluster and --workers are possible; None is as in the flags."""
    if cluster is None:
        return
    if cluster != RAY and (not cluster.startswith("ray://") or _host_and_port(cluster) is None):
        problem = f"--cluster {cluster}: expected {RAY} or ray://HOST:PORT."
        hint = "ray://HOST:10001 is the head node that `ray start --head` started on HOST."
        raise UsageError(problem, hint, field="cluster", got=cluster)
    if workers is not None and workers < 1:
        problem = f"--workers {workers} with --cluster {cluster}: expected 1 or more, the number of Ray actors."
        raise UsageError(problem, "Leave one of them out.", field="workers", got=workers)


def check_head_node(cluster: str) -> None:
    """Raise an AmbidexError if the address names a host and port, and nothing listens there."""
    address = _given_address(cluster)
    place = _host_and_port(address)
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=CONNECT_S).close()
    except OSError as error:
        flag = f"--cluster {cluster}" + (f" ({RAY_ADDRESS}={address})" if address != cluster else "")
        problem = f"{flag}: no Ray head node answers at {place[0]}, port {place[1]} ({error})."
        hint = "Start one there with `ray start --head`, which prints its addresses, or correct the address."
        raise AmbidexError(problem, hint, address=address) from error


def own_host(cluster: str) -> str:
    """The address of this machine in the network of a cluster; 127.0.0.1 if there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_host_and_port(_given_address(cluster)) or ELSEWHERE)
            host, _ = probe.getsockname()
        except OSError:
            return "127.0.0.1"
    return str(host)


def _given_address(cluster: str) -> str:
    return os.environ.get(RAY_ADDRESS, "") if cluster == RAY else cluster


def _host_and_port(address: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"(?:ray://)?\[?([^/\s]+?)\]?:(\d+)", address)
    return (found[1], int(found[2])) if found else None
