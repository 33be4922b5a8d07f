"""The flags of `run-benchmark` for policies on a server, checked before anything is started."""

import re
from urllib.parse import urlsplit

from ambidex.benchmarks.evaluation.config import BenchmarkConfig, PolicyFlags
from ambidex.errors import UsageError
from ambidex.policies.remote.layouts import LAYOUTS, Layout, find_layout

REMOTE = "remote"
NAME = re.compile(r"\w[\w.+-]*", re.ASCII)  # of a policy: becomes a part of the name of the results folder


def check_policy_flags(config: PolicyFlags, *, remote: bool, own_code: bool) -> None:
    """Raise a UsageError if a flag for policies on a server is missing, wrong, or given without --policy remote.

    --policy-name is for policies that are code of the user's own too.
    """
    if not NAME.fullmatch(config.policy_name or REMOTE):
        problem = f"--policy-name {config.policy_name!r}: expected letters, digits and . _ + - only."
        raise UsageError(problem, got=config.policy_name)
    flags = config.given(
        ("url", "layout", "map", "image_size", "timeout", "check", *(() if own_code else ("policy_name",)))
    )
    if not remote:
        if flags:
            raise UsageError(f"{', '.join(flags)}: only with --policy {REMOTE}.", got=flags)
        return
    hint = f"Give both, e.g. --url ws://127.0.0.1:8000 --layout libero. Layouts are {', '.join(LAYOUTS)}."
    if config.url is None or config.layout is None:
        missing = [f"--{name}" for name in ("url", "layout") if getattr(config, name) is None]
        problem = f"--policy {REMOTE} also needs {' and '.join(missing)}."
        raise UsageError(problem, hint, got=missing, expected=list(LAYOUTS))
    _check_values(config, config.url)


def _check_values(config: PolicyFlags, url: str) -> None:
    if not _is_address(url):
        raise UsageError(f"--url {url} is no address.", "Expected one such as ws://127.0.0.1:8000.", got=url)
    if config.timeout is not None and config.timeout < 1:
        raise UsageError(f"--timeout {config.timeout}: expected 1 second or more.", got=config.timeout)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def choose_layout(config: BenchmarkConfig, family: str) -> Layout:
    """The layout that the flags name, for a task family.

    Raises:
        UsageError: There is none, it is for another control mode, or the server says the size of images.
    """
    layout = find_layout(str(config.layout), family, config.map or (), config.image_size)
    if not layout.described:
        check_control(config, layout)
    elif config.image_size is not None:
        problem = f"--image-size {config.image_size[0]} {config.image_size[1]}: the server of --layout ambidex says it."
        raise UsageError(problem, "Leave it out.", got=config.image_size)
    return layout


def check_control(config: BenchmarkConfig, layout: Layout) -> None:
    """Raise a UsageError if the flags ask for another control mode than that of a layout."""
    if config.control not in (None, layout.control):
        problem = (
            f"--control {config.control}: the actions of --layout {config.layout} are for {layout.control} control."
        )
        raise UsageError(problem, "Leave --control out.", got=config.control, expected=layout.control)
