"""Processes that tests start, kill and limit."""

import subprocess
import sys
import time

LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class StartedProcess(subprocess.Popen):
    """Popen, but leaving its block kills a process that is still running, instead of waiting for it."""

    def __exit__(self, *error):
        self.kill()
        super().__exit__(*error)


def wait_for(condition, run, timeout_s=240):
    """Wait until a condition holds or a process has ended; other processes may keep the machine busy."""
    deadline = time.monotonic() + timeout_s
    while not condition() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def with_file_size_limit(script, limit):
    """The command of a Python script whose writes fail where a file would exceed `limit` bytes, as on a full disk."""
    return [sys.executable, "-c", LIMITED, str(limit), script]
