"""The command `serve-policy`, and its flags."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from ambidex.command_line import print_message, print_result, run
from ambidex.errors import MissingPackageError, UsageError
from ambidex.flags import AUTO, OptionalName, OptionalPath, Switch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.remote import API_KEY
from ambidex.policies.run_folder import MODEL, find_checkpoint
from ambidex.worker_pool.pool import worker_count

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy

COMMAND = "serve-policy"
PORT = 8000
MAX_THREADS = 16  # forward passes side by side on a CPU


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """Serve a trained policy to clients of openpi's websocket protocol, such as run-benchmark --policy remote.

    The first message to a client says what the policy needs. Requests of several clients are answered together, with
    the same bits as run-benchmark gives. If the environment variable AMBIDEX_API_KEY is set, clients must send its
    value in the header Authorization. Ctrl-C stops the server.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "checkpoint port host device",
        "Policy": "robot control",
        "Output": "quiet debug",
    }

    checkpoint: OptionalPath = None
    """Checkpoint or run folder (required)."""
    port: int = PORT
    """Port; 0 is any that is free."""
    host: str = "127.0.0.1"
    """Address to listen at. 127.0.0.1 is reached from this machine only, 0.0.0.0 from every network it is in."""
    device: OptionalName = None
    """Device of the policy: cpu, cuda or cuda:1; auto is a GPU if there is one."""
    robot: OptionalName = None
    """Robot to act with; auto is the only one that the policy knows."""
    control: OptionalName = None
    """Control mode, joint or ee; auto is the only one that the policy knows."""
    quiet: Switch = False
    """Print only the address and errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, serve until Ctrl-C, and exit."""
    run(COMMAND, _main, ServeConfig, argv)


def _main(config: ServeConfig) -> None:
    if config.checkpoint is None:
        raise UsageError("No checkpoint is given.", "Name a run folder with --checkpoint, e.g. runs/act-insertion.")
    folder = find_checkpoint(config.checkpoint)
    try:  # heavy: not for --help
        from ambidex.policies import checkpoint
        from ambidex.policies.serving.batcher import RequestBatcher
        from ambidex.policies.training.distributed import choose_device
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "train", "Serving a policy") from error
    from ambidex.policies.remote.policy_server import RemotePolicyServer
    from ambidex.policies.serving.server import describe

    policy = checkpoint.load(folder)
    select_embodiment(policy, config.robot, config.control)
    batcher = RequestBatcher(policy, choose_device(config.device or AUTO), threads=worker_count(None, MAX_THREADS))
    try:
        with RemotePolicyServer(
            describe(policy),
            batcher.predict,
            host=config.host,
            port=config.port,
            api_key=os.environ.get(API_KEY, ""),
            weights_sha256=sha256((folder / MODEL).read_bytes()).hexdigest(),
            report=_print_failure,
        ) as server:
            _print_notes(config, folder, policy, batcher.notes)
            print_result(server.address)
            threading.Event().wait()  # until a signal raises KeyboardInterrupt
    except KeyboardInterrupt:
        raise KeyboardInterrupt("The server is closed.") from None
    finally:
        batcher.close()


def select_embodiment(policy: "Policy", robot: str | None, control: str | None) -> None:
    """Set a policy to one of its embodiments.

    Args:
        policy: The policy.
        robot: Name of the robot; None for the only one.
        control: Control mode; None for the only one.

    Raises:
        UsageError: It knows none, or several.
    """
    known = [embodiment_of(spec) for spec in policy.specs]
    fitting = [spec for spec in policy.specs if spec.robot == (robot or spec.robot)]
    fitting = [spec for spec in fitting if spec.control == (control or spec.control)]
    if len(fitting) != 1:
        asked = " ".join(f"--{name} {value}" for name, value in (("robot", robot), ("control", control)) if value)
        problem = f"{asked or 'Without --robot and --control'}: {len(fitting)} of the policy's embodiments fit."
        raise UsageError(problem, f"It knows {', '.join(known)} (robot-control).", got=asked, expected=known)
    policy.use_embodiment(embodiment_of(fitting[0]))


def _print_failure(line: str) -> None:
    print_message(COMMAND, f"A request failed: {line}")


def _print_notes(config: ServeConfig, folder: Path, policy: "Policy", notes: Sequence[str]) -> None:
    if not config.quiet:
        print_message(COMMAND, f"Serving {folder} ({policy.name}, {embodiment_of(policy.spec)}). Ctrl-C stops it.")
        for note in notes:
            print_message(COMMAND, note)
    if not (_is_loopback(config.host) or os.environ.get(API_KEY)):
        who = f"--host {config.host}: everyone who can reach this machine can use the policy"
        print_message(COMMAND, f"{who}. Set {API_KEY} to admit only clients that know this key.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
