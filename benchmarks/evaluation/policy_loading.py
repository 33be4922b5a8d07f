"""A loaded policy, made ready for a task: which of its robots, which code, and whether it fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.benchmarks.evaluation.agents import ServedAgents, environment_for
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


def select_robot(policy: "Policy", task: str, control: str | None = None) -> None:
    """Have a policy of several robots act with the one of a task.

    Args:
        policy: Who acts; left as it is if it knows no such robot, which `fitting_spec` refuses.
        task: Any name of the task.
        control: In which control mode; None for the only one in which the policy knows the robot.

    Raises:
        UsageError: It knows the robot in other control modes than this, or in several and none is asked for.
    """
    robot = find_task(task).robot
    known = {spec.control: embodiment_of(spec) for spec in policy.specs if spec.robot == robot}
    if not known:
        return
    if control is None and len(known) > 1:
        raise UsageError(
            f"The policy knows {robot}, the robot of {task}, in {len(known)} control modes: {', '.join(known)}. Say "
            f"which with --control, e.g. --control {next(iter(known))}."
        )
    chosen = control or next(iter(known))
    if chosen not in known:
        raise UsageError(
            f"--control {chosen}: the policy does not know {robot}, the robot of {task}, in this control mode, but in "
            f"{', '.join(known)}. Name one of these, or leave the flag out if there is only one."
        )
    policy.use_embodiment(known[chosen])


def fix_code(policy: "Policy", code: int, flag: str = "--code") -> None:
    """Have a policy make all its chunks from one code.

    Args:
        policy: Who acts.
        code: Which of its codes.
        flag: Who asks for it, to be named if there is none such.

    Raises:
        UsageError: It has no codes, or not this one.
    """
    from ambidex.policies.policy import CodedPolicy  # heavy

    if not isinstance(policy, CodedPolicy):
        raise UsageError(
            f"{flag} {code}: {policy.name} does not make its actions from codes, so there is none to play. Leave the "
            "flag out, or give the checkpoint of a policy that does, such as uniact."
        )
    try:
        policy.fix_code(code)
    except UsageError as error:
        raise UsageError(f"{flag} {code} is none of the policy's codes. It says: {error}") from error


def compatible_spec(task: str, policy: "Policy", terms: TaskSettings, checkpoint: Path | None = None) -> EnvSpec:
    """Of the environment as the policy sees it; made without cameras, so that all differences are told at once.

    Args:
        task: Any name of the task.
        policy: Who acts, with the robot that it uses now.
        terms: How the task is posed.
        checkpoint: Where the policy comes from, to be named if it does not fit; None to name none.

    Raises:
        UsageError: The policy does not fit; lists the differences.
    """
    cameras = policy.inputs.cameras
    env = environment_for(task, policy.spec, replace(policy.inputs, cameras=()), terms)
    there = replace(env.spec, cameras=env.scene.camera_names)
    check_compatible(
        replace(policy.spec, cameras=cameras),
        there,
        objects=policy.inputs.objects,
        instructions=policy.instructions,
        known=policy.specs,
        checkpoint=checkpoint,
    )
    return replace(env.spec, cameras=cameras)


# FOLDED benchmarks.running.policy_host: The parent's side of a learned policy: loads it, checks it against the tasks, serves it to the workers.

WEIGHTS = "model.safetensors"
LoadPolicy = Callable[[Path], "Policy"]
"""A checkpoint or run folder -> the policy in it, in evaluation mode."""


@dataclass(frozen=True, kw_only=True)
class LoadedPolicy:
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


def host_locally(tasks: Sequence[str], terms: TaskSettings) -> LoadedPolicy:
    """For agents that need no server."""
    specs = {task: terms.environment(task).spec for task in tasks}
    return LoadedPolicy(execution="", checkpoint=None, serving=None, env_specs=specs, versions={})


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
        self, config: BenchmarkConfig, terms: TaskSettings, server: PolicyServer, load: LoadPolicy | None = None
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

    def start(self, path: Path, tasks: Sequence[str], *, runners: int) -> LoadedPolicy:
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
        select_robot(policy, tasks[0], self._config.control)
        execution = self._execution(policy)
        specs = {task: compatible_spec(task, policy, self._terms, path) for task in tasks}
        if self._config.code is not None:
            fix_code(policy, self._config.code)
        self._server.serve(policy, device, threads=runners)
        return LoadedPolicy(
            execution=execution,
            checkpoint=checkpoint_id(path),
            serving=self._serving(device),
            env_specs=specs,
            versions={"torch": version("torch")},
            warning=unseen_tasks_warning(policy.spec, list(specs.values())),
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
        return ServingInfo(device=str(device), device_name=name, lanes=server.batch_size, notes=server.notes)


def checkpoint_id(path: Path) -> CheckpointId:
    """Fingerprint of a checkpoint's weights."""
    return CheckpointId(path=str(path), sha256=sha256((path / WEIGHTS).read_bytes()).hexdigest())


def _load(path: Path) -> "Policy":
    from ambidex.policies.checkpoint import load  # heavy

    return load(path)


def _device_name(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
