"""What ends the processes of a command: stop signals, the end of their parent, and a script without a guard."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

UNGUARDED = 75  # exit status of a worker that would start workers itself
STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2})
"""Ctrl-C, and what a closed terminal and batch schedulers send, to all processes of a command; its first one acts."""


@contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block `STOP_SIGNALS` in the processes and threads that start within the block."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    resource_tracker.ensure_running()  # else starting the first process would, and unblock some of them
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def end_if_importing_script() -> None:
    """End a worker process that is still importing its parent's script, which would do its work a second time."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing tells it
        raise SystemExit(UNGUARDED)


def exit_with_parent() -> None:
    """Let this process end when its parent does, also if the parent is killed, or is dead already."""
    threading.Thread(target=_wait_for_end_of_parent, daemon=True).start()


def _wait_for_end_of_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
