from concurrent.futures import ThreadPoolExecutor

import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.simulation import shared_context as module
from ambidex.envs.simulation.shared_context import SharedContext, shared_context


class FakeContext:
    """Is current in one thread, or in none."""

    elsewhere = False

    def __init__(self, width: int, height: int) -> None:
        pass

    def make_current(self) -> None:
        if self.elsewhere:
            raise RuntimeError("current in another thread")

    def free(self) -> None:
        pass


class FakeGpu:
    freed = 0

    def free(self) -> None:
        self.freed += 1


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> SharedContext:
    monkeypatch.setattr(module, "make_context", lambda width, height: (FakeContext(width, height), "fake"))
    return SharedContext((24, 32))


def rendered(task: str) -> Environment:
    env = make(task, cameras=("top",), image_size=(24, 32))
    env.reset(0).images()
    return env


def test_environments_of_a_thread_share_a_context_also_after_one_was_closed() -> None:
    before = shared_context((24, 32))
    first, second = rendered("insertion"), rendered("transfer_cube")
    assert first._renderer is not None and second._renderer is not None
    assert first._renderer._context is second._renderer._context is before
    first.close()
    assert shared_context((24, 32)) is before
    second.close()


def test_another_thread_has_its_own_context() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(shared_context, (24, 32)).result() is not shared_context((24, 32))


def test_a_forked_process_makes_its_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = shared_context((24, 32))
    monkeypatch.setattr(module, "make_context", lambda width, height: (FakeContext(width, height), "fake"))
    with monkeypatch.context() as forked:
        forked.setattr(module.os, "getpid", lambda: -1)
        assert shared_context((24, 32)) is shared_context((24, 32)) is not ours
        module.close_shared_context()
    assert shared_context((24, 32)) is ours


def test_what_another_thread_deletes_is_freed_once_with_the_next_image(
    shared: SharedContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu, other = FakeGpu(), FakeGpu()
    with monkeypatch.context() as another_thread:
        another_thread.setattr(FakeContext, "elsewhere", True)
        shared.free(gpu)
        assert gpu.freed == 0
    shared.make_current()
    shared.free(other)
    assert (gpu.freed, other.freed) == (1, 1)
