"""The parent's side of a learned policy: loads it, checks it against the tasks, serves it to the workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.running.benchmark_info import CheckpointId, ServingInfo
from ambidex.benchmarks.running.policy_fit import fitting_spec, play_code, use_robot_of
from ambidex.benchmarks.running.served_agents import ServedAgents
from ambidex.benchmarks.running.terms import Terms
from ambidex.command_line import AUTO
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.compatibility import unseen_warning
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.server import PolicyServer, describe

if TYPE_CHECKING:
    import torch

    from ambidex.policies.policy import Policy

WEIGHTS = "model.safetensors"
LoadPolicy = Callable[[Path], "Policy"]
"""A checkpoint or run folder -> the policy in it, in evaluation mode."""


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """Who acts, once that is known.

    Attributes:
        execution: How chunks are played; empty for who does not predict chunks.
        checkpoint: Of a learned policy.
        serving: Of a learned policy.
        env_specs: Task -> spec of the environment it acts in.
        versions: Package -> version, of what a learned policy needs besides.
        warning: One line on tasks that a learned policy was not trained on; empty if there are none.
    """

    execution: str
    checkpoint: CheckpointId | None
    serving: ServingInfo | None
    env_specs: Mapping[str, EnvSpec]
    versions: Mapping[str, str]
    warning: str = ""


def host_locally(tasks: Sequence[str], terms: Terms) -> Hosted:
    """For agents that need no server."""
    specs = {task: terms.environment(task).spec for task in tasks}
    return Hosted(execution="", checkpoint=None, serving=None, env_specs=specs, versions={})


class PolicyHost:
    """Serves a checkpoint. Its agents can be handed to workers before it is loaded; they wait for it.

    Args:
        config: What to run.
        terms: How tasks are posed.
        server: Where it will be served.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Attributes:
        agents: What the workers get.
    """

    def __init__(
        self, config: BenchmarkConfig, terms: Terms, server: PolicyServer, load: LoadPolicy | None = None
    ) -> None:
        self._config, self._terms, self._server, self._load = config, terms, server, load
        self.agents = ServedAgents(
            address=server.address,
            authkey=server.authkey,
            mode=config.execution,
            steps=config.execute_steps,
            code=config.code,
            terms=terms,
        )

    def start(self, path: Path, tasks: Sequence[str], *, runners: int) -> Hosted:
        """Load the policy and serve it.

        Args:
            path: Checkpoint or run folder.
            tasks: What it will act in.
            runners: Forward passes at the same time on a CPU.

        Raises:
            UsageError: It does not fit a task or the execution, or there is no such device.
            CheckpointError: It cannot be loaded.
        """
        from ambidex.policies.training.distributed import choose_device  # heavy

        device = choose_device(self._config.device or AUTO)
        policy = (self._load or _load)(path)
        self._check_kind(path, policy)
        use_robot_of(policy, tasks[0], self._config.control)
        execution = self._execution(policy)
        specs = {task: fitting_spec(task, policy, self._terms, path) for task in tasks}
        if self._config.code is not None:
            play_code(policy, self._config.code)
        self._server.serve(policy, device, runners=runners)
        return Hosted(
            execution=execution,
            checkpoint=checkpoint_id(path),
            serving=self._serving(device),
            env_specs=specs,
            versions={"torch": version("torch")},
            warning=unseen_warning(policy.spec, list(specs.values())),
        )

    def _check_kind(self, path: Path, policy: "Policy") -> None:
        if policy.name != self._config.policy:
            raise UsageError(
                f"{path} is a checkpoint of {policy.name}, not of {self._config.policy}. Give --policy {policy.name}, "
                "or another --checkpoint."
            )

    def _execution(self, policy: "Policy") -> str:
        config, served = self._config, describe(policy)
        own, size = served.execute_steps, served.chunk_size
        return choose_execution(config.execution, config.execute_steps, own, size, config.code).name

    def _serving(self, device: "torch.device") -> ServingInfo:
        name, server = _device_name(device), self._server
        return ServingInfo(device=str(device), device_name=name, lanes=server.lanes, notes=server.notes)


def checkpoint_id(path: Path) -> CheckpointId:
    """Fingerprint of a checkpoint's weights."""
    return CheckpointId(path=str(path), sha256=sha256((path / WEIGHTS).read_bytes()).hexdigest())


def _load(path: Path) -> "Policy":
    from ambidex.policies.checkpoint import load  # heavy

    return load(path)


def _device_name(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
