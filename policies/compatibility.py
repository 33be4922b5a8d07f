"""Checks that a policy can act in an environment. Needs numpy only."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.text import first_few

MUST_AGREE = ("control", "control_hz", "action_names", "joint_names", "dynamics")
MAX_NAMED = 5  # instructions or tasks in a message


def embodiment_of(spec: EnvSpec) -> str:
    """Name of a robot with its control mode, e.g. "viperx_bimanual-joint"."""
    return f"{spec.robot}-{spec.control}"


def check_compatible(
    policy_spec: EnvSpec,
    env_spec: EnvSpec,
    *,
    objects: bool = False,
    instructions: Sequence[str] = (),
    known: Sequence[EnvSpec] = (),
    checkpoint: Path | None = None,
) -> None:
    """Check robot, control mode, rate, cameras and instruction.

    Args:
        policy_spec: Spec of the checkpoint; its cameras are those that the policy uses.
        env_spec: Spec of the environment.
        objects: Whether the policy uses object poses, whose objects must then agree too.
        instructions: The only instructions the policy can follow; empty if it takes any.
        known: One spec for each embodiment of the policy; empty if `policy_spec` is the only one.
        checkpoint: The checkpoint, to be named in the message.

    Raises:
        UsageError: They do not fit; the message lists the differences.
    """
    policy = f"The policy of {checkpoint}" if checkpoint else "The policy"
    other_robot = policy_spec.robot != env_spec.robot
    found = dict(_differences(policy_spec, env_spec, objects=objects, instructions=instructions, brief=other_robot))
    listed = "; ".join(found.values())
    if other_robot:
        also = f" Also different from {embodiment_of(policy_spec)}: {listed}." if found else ""
        reason, hint = _robot_difference(known or (policy_spec,), env_spec.robot)
        problem = f"{policy} cannot act in {env_spec.task}, {reason}.{also}"
        raise UsageError(problem, hint, fields=("robot", *found), got=env_spec.robot)
    if found:
        trained_on = _task_names(policy_spec.task)
        problem = f"{policy} was trained on {trained_on} and cannot act in {env_spec.task}: {listed}."
        hint = "Use a checkpoint that was trained on such data, or an environment like that of its training."
        raise UsageError(problem, hint, fields=tuple(found))


def _robot_difference(known: Sequence[EnvSpec], robot: str) -> tuple[str, str]:
    """The problem with the environment's robot, and a hint."""
    embodiments = " and ".join(f"{embodiment_of(spec)} (trained on {_task_names(spec.task)})" for spec in known)
    if robot in {spec.robot for spec in known}:
        hint = "It acts with one robot at a time: benchmark the tasks of each in a run of their own."
    else:
        hint = f"Use a checkpoint that was trained on data of {robot}, or a task of a robot it knows."
    return f"whose robot is {robot}: it knows {embodiments}", hint


def _differences(
    policy_spec: EnvSpec, env_spec: EnvSpec, *, objects: bool, instructions: Sequence[str], brief: bool
) -> Iterator[tuple[str, str]]:
    """Fields that differ except the robot, each with a description; if brief, without long lists of names."""
    names = [*MUST_AGREE, *(["image_size"] if policy_spec.cameras else []), *(["object_names"] if objects else [])]
    for name in names:
        own, other = getattr(policy_spec, name), getattr(env_spec, name)
        if own != other:
            values = f": the policy has {_listed(own)}, the environment {_listed(other)}"
            yield name, name if brief and name.endswith("_names") else f"{name}{values}"
    missing = tuple(camera for camera in policy_spec.cameras if camera not in env_spec.cameras)
    if missing:
        text = f"cameras: the policy needs {_listed(missing)}, the environment has {_listed(env_spec.cameras)}"
        yield "cameras", text
    if instructions and env_spec.instruction not in instructions:
        some = first_few(instructions, limit=MAX_NAMED)
        yield (
            "instruction",
            f"instruction: the environment has {env_spec.instruction!r}, the policy was trained on {some}",
        )


def _listed(value: object) -> str:
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value) or "none"
    return str(value)


def unseen_tasks_warning(policy_spec: EnvSpec, env_specs: Sequence[EnvSpec]) -> str:
    """One line about tasks of environments that the policy was not trained on; empty if there are none."""
    unseen = [spec.task for spec in env_specs if not _trained_on(policy_spec, spec)]
    if not unseen:
        return ""
    return (
        f"The policy was not trained on {_task_names('+'.join(unseen))}, but on {_task_names(policy_spec.task)}: what "
        "it does there is generalisation."
    )


def _trained_on(policy_spec: EnvSpec, env_spec: EnvSpec) -> bool:
    """By name, "A" or one of "A+B"; the same definition in another file is the same task."""
    digest = env_spec.definition_sha256
    if digest and digest == policy_spec.definition_sha256:
        return True
    return f"+{env_spec.task}+" in f"+{policy_spec.task}+"


def _task_names(task: str) -> str:
    """The tasks of a spec, or their number if there are many."""
    names = task.split("+")
    return " and ".join(names) if len(names) <= MAX_NAMED else f"{len(names)} tasks"
