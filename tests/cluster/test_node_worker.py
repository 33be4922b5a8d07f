"""Files that jobs write on a node, and the pool of processes that is used without a cluster."""

import os
import pickle
import sys
from pathlib import Path

import pytest

from ambidex.cluster.node_worker import NodeWorker
from ambidex.cluster.pools import start_pool
from ambidex.errors import DatasetError, MissingPackageError
from ambidex.worker_pool.worker import WorkerError


class Writer:
    """Writes two files, as often as the job says; the file that is listed last was finished first."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, job):
        (self.folder / "videos").mkdir(parents=True)
        (self.folder / "videos" / "video").write_bytes(b"video" * job)
        os.utime(self.folder / "videos" / "video", ns=(1, 1))
        (self.folder / "episode").write_bytes(bytes([job]))
        os.utime(self.folder / "episode", ns=(2, 2))
        if job == 13:
            raise ValueError("no 13")
        return self.folder


@pytest.fixture
def worker(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    return NodeWorker(pickle.dumps(Writer))


def test_files_come_with_the_result_in_the_order_in_which_they_were_finished(worker, tmp_path):
    delivery = worker(2)
    assert delivery.result.parent == tmp_path / "node"
    assert [(file.path, file.content.tobytes()) for file in delivery.files] == [
        ("videos/video", b"videovideo"),
        ("episode", b"\x02"),
    ]


@pytest.mark.parametrize("job", [2, 13])
def test_nothing_is_left_on_the_node(worker, tmp_path, job):
    worker(job)
    assert not list((tmp_path / "node").iterdir())


def test_an_error_of_a_job_is_its_result_and_the_next_one_is_done(worker):
    error = worker(13).result
    assert isinstance(error, WorkerError) and error.message == "ValueError: no 13"
    assert [file.path for file in worker(1).files] == ["videos/video", "episode"]


def test_files_are_written_into_the_folder_of_the_command(worker, tmp_path):
    for file in pickle.loads(pickle.dumps(worker(3))).files:
        file.write(tmp_path / "out")
    assert (tmp_path / "out" / "episode").read_bytes() == b"\x03"
    assert (tmp_path / "out" / "videos" / "video").read_bytes() == b"video" * 3
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError):
        worker(3).files[1].write(tmp_path / "file")


def folder_of(folder):
    return lambda job: (folder, job)


def test_without_a_cluster_jobs_get_the_folder_itself(tmp_path):
    with start_pool(folder_of, tmp_path, jobs=2, workers=0, cluster=None) as pool:
        assert list(pool.results([1, 2])) == [(1, (tmp_path, 1)), (2, (tmp_path, 2))]
        assert pool.note == ""


def test_ray_that_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "ambidex.cluster.ray_pool", raising=False)
    monkeypatch.delitem(sys.modules, "ambidex.cluster.connection", raising=False)
    with pytest.raises(MissingPackageError, match=r"\[ray\]") as error:
        start_pool(folder_of, Path(), jobs=1, workers=1, cluster="ray")
    assert error.value.facts["extra"] == "ray"
