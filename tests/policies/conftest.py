import layered_learner
import pytest
import torch
from synthetic_dataset import STATES, write_dataset
from toy_learner import NAME, register

from ambidex.policies import registry


@pytest.fixture
def toy():
    """Registers the toy policy; gives its name."""
    before = dict(registry.POLICIES), dict(registry.PRESETS)
    register()
    yield NAME
    for table, entries in zip((registry.POLICIES, registry.PRESETS), before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def layered(toy):
    """Registers the toy policy, and the one with transformer layers."""
    layered_learner.register()


@pytest.fixture
def one_thread():
    """Torch computes on one thread, so that sums have one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def states(tmp_path_factory):
    """A dataset without images."""
    return write_dataset(tmp_path_factory.mktemp("states"), **STATES)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A dataset with two cameras."""
    return write_dataset(tmp_path_factory.mktemp("images"))
