import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ambidex.errors import UsageError
from ambidex.worker_pool.ending import STOP_SIGNALS
from ambidex.worker_pool.job_pool import WorkerStartError
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.process import SINGLE_THREADED
from ambidex.worker_pool.worker import WorkerError

HERE = Path(__file__)


@pytest.fixture(autouse=True)
def _workers_find_this_module(monkeypatch):
    monkeypatch.syspath_prepend(HERE.parents[2])


class Worker:
    """Makes of a job what the job's name says."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.jobs = 0

    def __call__(self, job: tuple[str, int]) -> object:
        self.jobs += 1
        return getattr(self, job[0])(job[1])

    def square(self, x):
        return x * x

    def process(self, _):
        return os.getpid()

    def count(self, _):
        return self.jobs

    def environment(self, _):
        return {name: os.environ.get(name) for name in SINGLE_THREADED}

    def fail(self, x):
        raise ValueError(f"no {x}")

    def refuse(self, x):
        raise UsageError(f"Not {x}.")

    def unpicklable(self, _):
        return lambda: None

    def sleep(self, seconds):
        time.sleep(seconds)

    def die(self, _):
        os.kill(os.getpid(), signal.SIGKILL)

    def die_counted(self, x):
        with (Path(self.folder) / f"tries_{x}").open("a") as tries:
            tries.write("x")
        self.die(x)

    def die_once(self, x):
        marker = Path(self.folder) / f"died_{x}"
        if not marker.exists():
            marker.touch()
            self.die(x)
        return x


def broken_worker():
    raise RuntimeError("no licence")


def dead_worker():
    os._exit(3)


def all_results(pool, jobs):
    for job in jobs:
        pool.submit(job)
    return [pool.next_result() for _ in jobs]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone_within(pids, seconds):
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_job_comes_back_once_with_its_result(workers):
    with Pool(Worker, workers) as pool:
        results = all_results(pool, [("square", x) for x in range(20)])
        assert pool.pending == 0
    assert sorted(results) == [(("square", x), x * x) for x in range(20)]


def test_a_worker_makes_its_handler_once_and_keeps_it():
    with Pool(Worker, 1) as pool:
        assert [count for _, count in all_results(pool, [("count", 0)] * 5)] == [1, 2, 3, 4, 5]


def test_jobs_run_in_other_processes_at_the_same_time():
    with Pool(Worker, 2) as pool:
        pool.wait_until_ready()
        processes = {all_results(pool, [("process", i), ("sleep", 0.05)])[0][1] for i in range(20)}
    assert os.getpid() not in processes


@pytest.mark.parametrize("workers", [0, 1])
def test_an_exception_is_a_value_and_the_worker_goes_on(workers):
    with Pool(Worker, workers) as pool:
        (_, error), (_, refusal), (_, fine) = all_results(pool, [("fail", 1), ("refuse", 2), ("square", 3)])
    assert isinstance(error, WorkerError) and error.message == "ValueError: no 1" and "in fail" in error.traceback
    assert isinstance(refusal, WorkerError) and refusal.message == "Not 2."
    assert fine == 9


def test_a_result_that_cannot_travel_is_an_error_of_its_job():
    with Pool(Worker, 1) as pool:
        (_, error), (_, fine) = all_results(pool, [("unpicklable", 0), ("square", 3)])
    assert isinstance(error, WorkerError) and fine == 9


def test_a_dead_worker_is_replaced_and_its_job_tried_again(tmp_path):
    with Pool(partial(Worker, str(tmp_path)), 2) as pool:
        results = all_results(pool, [("die_once", x) for x in range(4)])
    assert sorted(results) == [(("die_once", x), x) for x in range(4)]


def test_a_job_that_kills_twice_is_given_back_and_the_others_are_done(tmp_path):
    with Pool(partial(Worker, str(tmp_path)), 1) as pool:
        results = dict(all_results(pool, [("square", 2), ("die_counted", 0), ("square", 3)]))
    assert results["square", 2] == 4 and results["square", 3] == 9
    error = results["die_counted", 0]
    assert isinstance(error, WorkerError) and "died" in error.message and "SIGKILL" in error.message
    assert (tmp_path / "tries_0").read_text() == "xx"


def test_an_idle_worker_that_dies_is_replaced():
    with Pool(Worker, 1) as pool:
        pid = all_results(pool, [("process", 0)])[0][1]
        os.kill(pid, signal.SIGKILL)
        assert gone_within([pid], 5)
        assert all_results(pool, [("square", 3)]) == [(("square", 3), 9)]


@pytest.mark.parametrize(("factory", "words"), [(broken_worker, "no licence"), (dead_worker, "exit status 3")])
def test_a_worker_that_cannot_start_is_an_error_before_any_job(factory, words):
    with pytest.raises(WorkerStartError, match=words), Pool(factory, 2) as pool:
        pool.wait_until_ready()


def test_workers_run_single_threaded_and_the_parent_keeps_its_environment():
    before = dict(os.environ)
    with Pool(Worker, 1) as pool:
        inside = all_results(pool, [("environment", 0)])[0][1]
    assert inside == {name: before.get(name, value) for name, value in SINGLE_THREADED.items()}
    assert dict(os.environ) == before


def test_leaving_by_an_exception_ends_busy_workers_at_once():
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Pool(Worker, 2) as pool:
        pids = [pid for _, pid in all_results(pool, [("process", 0)])]
        pool.submit(("sleep", 60))
        pool._assign_jobs()
        raise KeyboardInterrupt
    assert time.monotonic() - started < 10
    assert gone_within(pids, 1)


def test_workers_leave_signals_to_the_parent():
    with Pool(Worker, 1) as pool:
        pid = all_results(pool, [("process", 0)])[0][1]
        for number in STOP_SIGNALS - {signal.SIGTERM}:  # with which Python ends workers
            os.kill(pid, number)
        assert all_results(pool, [("process", 0)])[0][1] == pid


PARENT = """
import sys
sys.path.insert(0, {folder!r})
from test_worker_pool import Worker
from ambidex.worker_pool.pool import Pool
if __name__ == "__main__":
    pool = Pool(Worker, 2)
    pool.submit(("process", 0)); pool.submit(("sleep", 0.3)); pool.submit(("process", 0))
    pids = {{pool.next_result()[1] for _ in range(3)}} - {{None}}
    pool.submit(("sleep", 60)); pool._assign_jobs()
    print(*pids, flush=True)
    pool.next_result()
"""


def test_workers_leave_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(folder=str(HERE.parent)))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert pids and all(map(is_alive, pids))
        parent.kill()
    assert gone_within(pids, 5)


def test_nothing_pending_is_said():
    with Pool(Worker, 0) as pool, pytest.raises(LookupError):
        pool.next_result()


def test_a_negative_number_of_workers_is_refused():
    with pytest.raises(UsageError, match="-1 workers"):
        Pool(Worker, -1)


def test_the_automatic_number_of_workers():
    assert (worker_count(7, 100), worker_count(7, 1), worker_count(0, 5)) == (7, 1, 0)
    assert worker_count(None, 1) == 1
    assert 1 <= worker_count(None, 10_000) <= (os.cpu_count() or 1)


def test_only_workers_need_a_factory_that_can_be_sent():
    def factory():
        return Worker()

    with Pool(factory, 0) as pool:
        pool.submit(("square", 3))
        assert pool.next_result() == (("square", 3), 9)
    with pytest.raises(UsageError, match="0 workers"):
        Pool(factory, 1)


UNGUARDED_SCRIPT = """
from pathlib import Path
from ambidex.output_folder import exclusive_lock
from ambidex.worker_pool.pool import Pool
with exclusive_lock(Path("out")), Pool(dict, 2) as pool:
    pool.wait_until_ready()
"""


def test_a_script_without_a_guard_gets_one_message(tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED_SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("Traceback") == 1
    assert done.stderr.splitlines()[-1].startswith("ambidex.errors.UsageError") and "__main__" in done.stderr
