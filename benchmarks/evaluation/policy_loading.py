"""Loads a policy, checks that it fits the tasks, and serves it to the workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ambidex.benchmarks.evaluation.agents import ServedAgents, policy_environment
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.results.info import CheckpointId, ServingInfo
from ambidex.envs.registry import find_task
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.flags import AUTO
from ambidex.policies.compatibility import check_compatible, embodiment_of, unseen_tasks_warning
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.server import PolicyServer, describe

if TYPE_CHECKING:
    import torch

    from ambidex.policies.policy import Policy

WEIGHTS = "model.safetensors"

LoadPolicy = Callable[[Path], "Policy"]
"""A checkpoint or run folder -> the policy in it, in evaluation mode."""


@dataclass(frozen=True, kw_only=True)
class LoadedPolicy:
    """What is known of a policy once it is loaded, or of a baseline. The fields are those of `BenchmarkInfo`.

    Attributes:
        execution: How chunks are executed; empty for a baseline.
        checkpoint: None for a baseline.
        serving: None for a baseline.
        env_specs: Task -> spec of its environment.
        versions: Package -> version, of the packages that only a policy needs.
        warning: One line on tasks that the policy was not trained on; empty if there are none.
    """

    execution: str
    checkpoint: CheckpointId | None
    serving: ServingInfo | None
    env_specs: Mapping[str, EnvSpec]
    versions: Mapping[str, str]
    warning: str = ""


def load_baseline(tasks: Sequence[str], settings: TaskSettings) -> LoadedPolicy:
    """A baseline: it has nothing to load."""
    specs = {task: settings.environment(task).spec for task in tasks}
    return LoadedPolicy(execution="", checkpoint=None, serving=None, env_specs=specs, versions={})


class PolicyHost:
    """Serves a checkpoint. Its agents can be sent to workers before it is loaded; they wait for it.

    Args:
        config: Flags with all defaults, and the folder of the checkpoint.
        settings: How tasks are set up.
        server: The server, which does not serve a policy yet.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Attributes:
        agents: The agents for the workers.
    """

    def __init__(
        self, config: BenchmarkConfig, settings: TaskSettings, server: PolicyServer, load: LoadPolicy | None = None
    ) -> None:
        self._config, self._settings, self._server, self._load = config, settings, server, load or _load
        self.agents = ServedAgents(
            address=server.address,
            authkey=server.authkey,
            mode=config.execution,
            steps=config.execute_steps,
            code=config.code,
            settings=settings,
        )

    def start(self, tasks: Sequence[str], *, threads: int) -> LoadedPolicy:
        """Load the policy and serve it.

        Args:
            tasks: The tasks to act in.
            threads: Simultaneous forward passes on a CPU.

        Raises:
            UsageError: The policy does not fit a task or the execution, or there is no such device.
            CheckpointError: It cannot be loaded.
        """
        from ambidex.policies.training.distributed import choose_device  # heavy

        config, path = self._config, cast("Path", self._config.checkpoint)
        device = choose_device(config.device or AUTO)
        policy = self._load(path)
        if policy.name != config.policy:
            raise UsageError(
                f"{path} is a checkpoint of {policy.name}, not of {config.policy}.",
                f"Give --policy {policy.name}, or another --checkpoint.",
                path=path,
                got=policy.name,
                expected=config.policy,
            )
        select_robot(policy, tasks[0], config.control)
        execution = self._execution(policy)
        specs = {task: compatible_spec(task, policy, self._settings, path) for task in tasks}
        if config.code is not None:
            fix_code(policy, config.code)
        self._server.serve(policy, device, threads=threads)
        return LoadedPolicy(
            execution=execution,
            checkpoint=checkpoint_id(path),
            serving=self._serving(device),
            env_specs=specs,
            versions={"torch": version("torch")},
            warning=unseen_tasks_warning(policy.spec, list(specs.values())),
        )

    def _execution(self, policy: "Policy") -> str:
        config, served = self._config, describe(policy)
        own, size = served.execute_steps, served.chunk_size
        return choose_execution(config.execution, config.execute_steps, own, size, config.code).name

    def _serving(self, device: "torch.device") -> ServingInfo:
        name, server = _device_name(device), self._server
        return ServingInfo(device=str(device), device_name=name, lanes=server.batch_size, notes=server.notes)


def select_robot(policy: "Policy", task: str, control: str | None = None) -> None:
    """Set a policy that knows several robots to the robot of a task.

    Args:
        policy: The policy; unchanged if it does not know the robot, which `compatible_spec` reports.
        task: Any name of the task.
        control: Control mode; None for the only one in which the policy knows the robot.

    Raises:
        UsageError: It knows the robot in other control modes, or in several and `control` is None.
    """
    robot = find_task(task).robot
    known = {spec.control: embodiment_of(spec) for spec in policy.specs if spec.robot == robot}
    if not known:
        return
    if control is None and len(known) > 1:
        raise UsageError(
            f"The policy knows {robot}, the robot of {task}, in {len(known)} control modes: {', '.join(known)}.",
            f"Choose one with --control, e.g. --control {next(iter(known))}.",
            task=task,
            expected=list(known),
        )
    chosen = control or next(iter(known))
    if chosen not in known:
        raise UsageError(
            f"--control {chosen}: the policy knows {robot}, the robot of {task}, only in {', '.join(known)}.",
            "Give one of these, or leave the flag out if there is only one.",
            task=task,
            got=chosen,
            expected=list(known),
        )
    policy.use_embodiment(known[chosen])


def fix_code(policy: "Policy", code: int, flag: str = "--code") -> None:
    """Make a policy use one code for all its chunks.

    Args:
        policy: The policy.
        code: One of its codes.
        flag: The flag to name in errors.

    Raises:
        UsageError: The policy has no codes, or not this one.
    """
    from ambidex.policies.policy import CodedPolicy  # heavy

    if not isinstance(policy, CodedPolicy):
        raise UsageError(
            f"{flag} {code}: {policy.name} has no codes.",
            "Leave the flag out, or give the checkpoint of a policy with codes, such as uniact.",
            got=code,
        )
    try:
        policy.fix_code(code)
    except UsageError as error:
        raise UsageError(f"{flag} {code} is not a code of the policy ({error})", got=code) from error


def compatible_spec(task: str, policy: "Policy", settings: TaskSettings, checkpoint: Path | None = None) -> EnvSpec:
    """Check that a policy can act in a task.

    Args:
        task: Any name of the task.
        policy: The policy, set to one of its robots.
        settings: How the task is set up.
        checkpoint: Its folder, for messages; None to name none.

    Returns:
        Spec of the environment with the cameras that the policy looks at.

    Raises:
        UsageError: It cannot; lists the differences.
    """
    cameras = policy.inputs.cameras
    # Without cameras: a missing one is then listed with the other differences instead of failing first.
    env = policy_environment(task, policy.spec, replace(policy.inputs, cameras=()), settings)
    check_compatible(
        replace(policy.spec, cameras=cameras),
        replace(env.spec, cameras=env.scene.camera_names),
        objects=policy.inputs.objects,
        instructions=policy.instructions,
        known=policy.specs,
        checkpoint=checkpoint,
    )
    return replace(env.spec, cameras=cameras)


def checkpoint_id(path: Path) -> CheckpointId:
    """Path of a checkpoint and SHA-256 of its weights."""
    return CheckpointId(path=str(path), sha256=sha256((path / WEIGHTS).read_bytes()).hexdigest())


def _load(path: Path) -> "Policy":
    from ambidex.policies.checkpoint import load  # heavy

    return load(path)


def _device_name(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
