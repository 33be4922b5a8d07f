"""Loads a policy, checks that it fits the tasks, and serves it to the workers."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ambidex.benchmarks.evaluation.agents import execution_of
from ambidex.benchmarks.evaluation.config import PolicyFlags
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.results.info import BenchmarkInfo, CheckpointId, ServingInfo
from ambidex.envs.registry import find_task
from ambidex.envs.types import EnvSpec
from ambidex.errors import MissingPackageError, UsageError
from ambidex.flags import AUTO
from ambidex.policies.compatibility import check_compatible, embodiment_of, unseen_tasks_warning
from ambidex.policies.run_folder import MODEL
from ambidex.policies.serving.server import PolicyServer, describe

if TYPE_CHECKING:
    import torch

    from ambidex.policies.policy import Policy

LoadPolicy = Callable[[Path], "Policy"]
"""A checkpoint or run folder -> the policy in it, in evaluation mode."""


def serve_policy(
    plan: BenchmarkPlan, server: PolicyServer, info: BenchmarkInfo, *, threads: int, load: LoadPolicy | None = None
) -> BenchmarkInfo:
    """Load the checkpoint of a plan and serve it.

    Args:
        plan: What to evaluate.
        server: The server, which does not serve a policy yet.
        info: The content of benchmark.json, as far as it is known without the policy.
        threads: Simultaneous forward passes on a CPU.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.

    Returns:
        The complete content of benchmark.json.

    Raises:
        UsageError: The policy does not fit a task or the execution, or there is no such device.
        CheckpointError: It cannot be loaded.
    """
    config, path = plan.config, cast("Path", plan.config.checkpoint)
    device = policy_device(config)
    policy = load_policy(path, config.policy, load)
    select_robot(policy, plan.tasks[0], config.control)
    execution = execution_of(describe(policy), config)
    specs = {task: compatible_spec(task, policy, plan.task_settings, path) for task in plan.tasks}
    if config.code is not None:
        fix_code(policy, config.code)
    server.serve(policy, device, threads=threads)
    return replace(
        info,
        execution=execution.name,
        checkpoint=checkpoint_id(path),
        serving=serving_info(server, device),
        env_specs=specs,
        versions={**info.versions, "torch": version("torch")},
        warning=" ".join(filter(None, (info.warning, unseen_tasks_warning(policy.spec, list(specs.values()))))),
    )


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
        problem = f"The policy knows {robot}, the robot of {task}, in {len(known)} control modes: {', '.join(known)}."
        hint = f"Choose one with --control, e.g. --control {next(iter(known))}."
        raise UsageError(problem, hint, task=task, expected=list(known))
    chosen = control or next(iter(known))
    if chosen not in known:
        problem = f"--control {chosen}: the policy knows {robot}, the robot of {task}, only in {', '.join(known)}."
        hint = "Give one of these, or leave the flag out if there is only one."
        raise UsageError(problem, hint, task=task, got=chosen, expected=list(known))
    policy.use_embodiment(known[chosen])


def fix_code(policy: "Policy", code: int, flag: str = "--code") -> None:
    """Make a policy use one code for all its chunks; `flag` is named in errors.

    Raises:
        UsageError: The policy has no codes, or not this one.
    """
    from ambidex.policies.policy import CodedPolicy  # heavy

    if not isinstance(policy, CodedPolicy):
        hint = "Leave the flag out, or give the checkpoint of a policy with codes, such as uniact."
        raise UsageError(f"{flag} {code}: {policy.name} has no codes.", hint, got=code)
    try:
        policy.fix_code(code)
    except UsageError as error:
        raise UsageError(f"{flag} {code} is not a code of the policy ({error})", got=code) from error


def compatible_spec(task: str, policy: "Policy", settings: TaskSettings, checkpoint: Path | None = None) -> EnvSpec:
    """Check that a policy, set to one of its robots, can act in a task, and return the spec with the policy's cameras.

    `checkpoint` is its folder, for messages; None names none.

    Raises:
        UsageError: It cannot; lists the differences.
    """
    own, cameras = policy.spec, policy.inputs.cameras
    # Without cameras: a missing one is then listed with the other differences instead of failing first.
    env = settings.environment(task, control=own.control, image_size=own.image_size, render_quality=own.render_quality)
    check_compatible(
        replace(own, cameras=cameras),
        replace(env.spec, cameras=env.scene.camera_names),
        objects=policy.inputs.objects,
        instructions=policy.instructions,
        known=policy.specs,
        checkpoint=checkpoint,
    )
    env.check_perturbations_are_seen(cameras, instruction=policy.inputs.instruction, known=policy.instructions)
    return replace(env.spec, cameras=cameras)


def checkpoint_id(path: Path) -> CheckpointId:
    """Path of a checkpoint and SHA-256 of its weights."""
    return CheckpointId(path=str(path), sha256=sha256((path / MODEL).read_bytes()).hexdigest())


def policy_device(config: PolicyFlags) -> "torch.device":
    """The device that the flags name.

    Raises:
        MissingPackageError: torch is not installed.
        UsageError: There is no such device.
    """
    try:
        from ambidex.policies.training.distributed import choose_device  # heavy
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "train", f"The policy {config.policy}") from error
    return choose_device(config.device or AUTO)


def load_policy(path: Path, expected: str, load: LoadPolicy | None = None) -> "Policy":
    """The policy of a checkpoint; `load` and errors are as in `serve_policy`, `expected` is what --policy says."""
    from ambidex.policies import checkpoint  # heavy

    policy = (load or checkpoint.load)(path)
    if policy.name != expected:
        problem = f"{path} is a checkpoint of {policy.name}, not of {expected}."
        hint = f"Give --policy {policy.name}, or another --checkpoint."
        raise UsageError(problem, hint, path=path, got=policy.name, expected=expected)
    return policy


def serving_info(server: PolicyServer, device: "torch.device") -> ServingInfo:
    """How a server computes the predictions of its policy."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return ServingInfo(device=str(device), device_name=name, lanes=server.batch_size, notes=server.notes)
