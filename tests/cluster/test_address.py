"""The flag --cluster, and the head node that it names."""

import socket

import pytest

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.take_over.run import take_over
from ambidex.cluster.address import check_cluster, check_head_node, own_host
from ambidex.errors import AmbidexError, UsageError
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.record import record


@pytest.fixture
def free_port():
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize(("cluster", "workers"), [(None, 0), ("ray", None), ("ray", 4), ("ray://head.local:10001", 1)])
def test_what_is_possible_is_accepted(cluster, workers):
    check_cluster(cluster, workers)


@pytest.mark.parametrize("cluster", ["", "dask", "ray:", "ray://", "ray://head", "head:6379", "ray://head:port"])
def test_what_is_no_cluster_is_refused_with_what_is_expected(cluster):
    with pytest.raises(UsageError, match="ray://HOST:PORT") as error:
        check_cluster(cluster, None)
    assert error.value.facts["got"] == cluster


def test_work_in_this_process_is_not_work_on_a_cluster():
    with pytest.raises(UsageError, match="--workers 0 with --cluster ray"):
        check_cluster("ray", 0)


def test_commands_check_the_flag_before_they_write(tmp_path):
    with pytest.raises(UsageError, match="--cluster dask"):
        record(RecordConfig(task="insertion", cluster="dask", output_dir=tmp_path / "data"))
    with pytest.raises(UsageError, match="--cluster dask"):
        make_plan(BenchmarkConfig(policy="hold", task="insertion", cluster="dask"))
    with pytest.raises(UsageError, match="does not go with --take-over"):
        take_over(BenchmarkConfig(policy="scripted", take_over=tmp_path, cluster="ray"))
    assert not list(tmp_path.iterdir())


def test_a_missing_head_node_is_named_with_its_address(free_port, monkeypatch):
    with pytest.raises(AmbidexError, match=rf"127\.0\.0\.1, port {free_port}"):
        check_head_node(f"ray://127.0.0.1:{free_port}")
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port}")
    with pytest.raises(AmbidexError, match=f"RAY_ADDRESS=127.0.0.1:{free_port}"):
        check_head_node("ray")


def test_a_head_node_that_listens_is_accepted_and_so_is_none_given(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    check_head_node("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_head_node(f"ray://127.0.0.1:{server.getsockname()[1]}")


def test_the_address_of_this_machine_is_one_that_can_be_listened_at(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert own_host("ray://127.0.0.1:10001") == "127.0.0.1"
    with socket.create_server((own_host("ray"), 0)) as server:
        assert server.getsockname()[1] > 0
