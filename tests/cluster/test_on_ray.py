"""Recordings and benchmarks on nodes that Ray simulates on one machine: the results are those of one process."""

import os
import signal
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from benchmarking_fakes import HOLD, assert_same_results, rows_of, run_into
from cluster_agents import StuckOnceAgent, Worker, broken_worker
from recording_fakes import STATES, contents, record_to
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks import run_benchmark
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.cluster.pools import start_pool
from ambidex.envs.env import make
from ambidex.errors import AmbidexError, UsageError
from ambidex.output_folder import versions
from ambidex.worker_pool.ending import STOP_SIGNALS
from ambidex.worker_pool.worker import WorkerError

ray = pytest.importorskip("ray", reason="pip install -e '.[ray]'")
cluster_utils = pytest.importorskip("ray.cluster_utils", reason="pip install -e '.[ray]'")
ray_worker = pytest.importorskip("ambidex.cluster.ray_worker")
pytestmark = pytest.mark.filterwarnings("default")  # those of Ray

ROOT = Path(__file__).parents[2]


@contextmanager
def simulated(nodes):
    """A cluster of a head node and so many nodes of one CPU, which RAY_ADDRESS names."""
    paths = [str(ROOT / "src"), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        for _ in range(nodes):
            cluster.add_node(num_cpus=1)
        patched.setenv("RAY_ADDRESS", cluster.address)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def cluster():
    with simulated(2) as two:
        yield two


def on_ray(factory, folder, jobs=4, workers=None):
    return start_pool(factory, folder, jobs=jobs, workers=workers, cluster="ray")


def test_a_benchmark_on_two_nodes_has_the_rows_of_one_process(cluster, tmp_path):
    summary = run_into(tmp_path / "ray", cluster="ray", workers=None)
    assert summary.complete and summary.timings.workers == 2
    run_into(tmp_path / "one", workers=0)
    assert_same_results(tmp_path / "ray", tmp_path / "one")
    assert not ray.is_initialized()


def test_a_recording_on_two_nodes_has_the_files_of_one_process(cluster, tmp_path):
    config = replace(STATES, keep_failures=True)
    record_to(tmp_path / "ray", config, cluster="ray", workers=2)
    record_to(tmp_path / "one", config, workers=0)
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")


def test_a_policy_is_served_to_the_nodes(cluster, tmp_path):
    spec, checkpoint = make("insertion", cameras=()).spec, write_checkpoint(tmp_path / "checkpoints" / "100")
    config = replace(HOLD, policy="act", episodes=2, horizon=12, device="cpu", checkpoint=checkpoint)
    for name, cluster_flags in (("ray", {"cluster": "ray", "workers": 2}), ("one", {"workers": 0})):
        settings = replace(config, output_dir=tmp_path / name, **cluster_flags)
        assert benchmark(settings, load=lambda path: ToyPolicy(spec, cameras=(), objects=True)).complete
    assert_same_results(tmp_path / "ray", tmp_path / "one")


def test_errors_are_values_and_a_job_that_kills_twice_is_given_back(cluster, tmp_path):
    with on_ray(Worker, tmp_path) as pool:
        results = dict(pool.results(["node", "unpicklable", "die"]))
        nodes = {node.node_id for node in cluster.list_all_nodes()}
        assert results["node"] in nodes
        assert pool.size == 2 and "2 actors on a cluster of 2 CPUs on 2 nodes" in pool.note
    assert isinstance(results["unpicklable"], WorkerError) and "lock" in results["unpicklable"].message
    assert isinstance(results["die"], WorkerError) and "2 times" in results["die"].message


def test_a_handler_that_cannot_be_made_is_an_error_that_names_the_node(cluster, tmp_path):
    refused = pytest.raises(AmbidexError, match=r"RuntimeError: no licence \(on node .*\)")
    with refused, on_ray(broken_worker, tmp_path) as pool:
        pool.wait_until_ready()
    assert not ray.is_initialized()


def test_a_node_with_another_version_is_refused_by_name(cluster, tmp_path, monkeypatch):
    ours = versions()
    monkeypatch.setattr(ray_worker, "versions", lambda: ours | {"mujoco": "3.9.0"})
    with pytest.raises(
        UsageError, match=rf"{socket.gethostname()}.*mujoco {ours['mujoco']} there, 3\.9\.0 here"
    ) as error:
        run_into(tmp_path / "out", cluster="ray", workers=None)
    assert "numpy" not in error.value.problem and not (tmp_path / "out").exists()


def test_a_connection_of_the_caller_is_used_and_stays(cluster, tmp_path):
    ray.init(cluster.address, log_to_driver=False)
    try:
        with on_ray(Worker, tmp_path) as pool:
            assert list(pool.results(["node"]))
        assert ray.is_initialized()
        with pytest.raises(UsageError, match="connected to a Ray cluster already"):
            start_pool(Worker, tmp_path, jobs=1, workers=1, cluster="ray://127.0.0.1:10001")
    finally:
        ray.shutdown()


def test_a_stop_signal_keeps_the_rows_and_resume_gives_those_of_one_process(cluster, tmp_path, run_command):
    flags = "--policy hold --task insertion --horizon 12 --episodes 30 --video none --output-dir".split()
    folder = tmp_path / "ray"
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def stop_after_a_row():
        rows = folder / "results.jsonl"
        while not (rows.exists() and b"\n" in rows.read_bytes()):
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_after_a_row, daemon=True).start()
    status, _, said = run_command(run_benchmark.main, *flags, folder, "--cluster", "ray")
    assert status == 130 and "--cluster ray" in said.partition("Resume with:")[2]
    stored = rows_of(folder)
    assert 0 < len(stored) < 30
    for number, handler in handlers.items():
        signal.signal(number, handler)
    run_command(run_benchmark.main, "--resume", "--output-dir", folder, "--cluster", "ray", "--quiet")
    run_command(run_benchmark.main, *flags, tmp_path / "one", "--workers", 0, "--quiet")
    assert_same_results(folder, tmp_path / "one")
    assert len(cluster.list_all_nodes()) == 3  # nothing of the cluster was stopped


def test_episodes_of_a_lost_node_run_again_elsewhere(cluster, tmp_path):  # the last test: one node is left
    marker = tmp_path / "node_id"

    def remove_node():
        while not (marker.exists() and marker.read_text()):
            threading.Event().wait(0.01)
        cluster.remove_node(next(node for node in cluster.list_all_nodes() if node.node_id == marker.read_text()))

    remover = threading.Thread(target=remove_node, daemon=True)
    remover.start()
    summary = run_into(tmp_path / "ray", agent=partial(StuckOnceAgent, str(marker)), cluster="ray", workers=None)
    remover.join()
    assert summary.complete and len(cluster.list_all_nodes()) == 2
    run_into(tmp_path / "one", workers=0)
    assert_same_results(tmp_path / "ray", tmp_path / "one")


@pytest.mark.slow
def test_scripted_episodes_on_four_nodes_of_which_one_is_lost_are_those_of_one_process(tmp_path):
    config = replace(HOLD, policy="scripted", task="transfer_cube", episodes=24)
    rows = tmp_path / "ray" / "results.jsonl"
    with simulated(4) as cluster:

        def remove_node():
            while not (rows.exists() and rows.read_bytes().count(b"\n") >= 6):
                threading.Event().wait(0.01)
            cluster.remove_node(cluster.list_all_nodes()[-1])

        remover = threading.Thread(target=remove_node, daemon=True)
        remover.start()
        assert benchmark(replace(config, output_dir=tmp_path / "ray", cluster="ray", workers=None)).complete
        remover.join()
        assert len(cluster.list_all_nodes()) == 4  # the head and three of the four
    benchmark(replace(config, output_dir=tmp_path / "one"))
    assert_same_results(tmp_path / "ray", tmp_path / "one")
