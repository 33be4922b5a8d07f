"""Leaves out slow tests and those that need a GPU unless asked for, and says which; runs commands for tests."""

import gc
import signal
from collections.abc import Callable, Generator

import pytest

import ambidex  # noqa: F401  # before any test imports dm_control, which opens an OpenGL display at once
from ambidex.worker_pool.ending import STOP_SIGNALS

SELECTABLE = ("slow", "gpu")
LEFT_OUT: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    for name in SELECTABLE:
        parser.addoption(f"--{name}", action="store_true", help=f"run the tests marked {name!r} too")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = []
    # What a shell puts in the background ignores Ctrl-C, nohup SIGHUP, and every command under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # No garbage is looked for while modules are imported, nor among them later: half a million objects that all stay.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unwanted = [name for name in SELECTABLE if not config.getoption(f"--{name}")]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unwanted)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in left_out:
        reasons = ", ".join(name for name in unwanted if item.get_closest_marker(name))
        config.stash[LEFT_OUT].append(f"{item.nodeid} ({reasons})")


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Under xdist the workers collect and the controller reports.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    output = getattr(node, "workeroutput", None)
    if output:
        node.config.stash[LEFT_OUT] = output["left_out"]  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = sorted(config.stash[LEFT_OUT])
    if left_out:
        terminalreporter.section(f"{len(left_out)} tests left out, run them with --slow --gpu")
        for line in left_out:
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def _handlers_of_signals() -> Generator[None]:
    """Restores the handlers: a command that is interrupted leaves all stop signals ignored, as it exits."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str, str]]:
    """Runs a command in this process; returns exit status, stdout and stderr."""

    def run(main: Callable[[list[str]], object], *argv: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in argv])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run
