"""Whether a policy can act in an environment. Needs numpy alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError

MUST_AGREE = ("control", "control_hz", "action_names", "joint_names")

SHOWN = 5  # instructions, or tasks, that are named in a message


def check_compatible(
    policy_spec: EnvSpec,
    env_spec: EnvSpec,
    *,
    objects: bool = False,
    instructions: Sequence[str] = (),
    known: Sequence[EnvSpec] = (),
    checkpoint: Path | None = None,
) -> None:
    """Refuse a policy that was trained for another robot, control mode, rate, or other cameras.

    Args:
        policy_spec: Spec of the checkpoint; its cameras are those the policy looks at.
        env_spec: Spec of the environment.
        objects: The policy looks at object poses, so these must agree too.
        instructions: The only instructions the policy can follow; empty if it takes any.
        known: One spec for each robot that the policy can act with; empty if there is no other than `policy_spec`'s.
        checkpoint: Where the policy comes from; None to say nothing of it.

    Raises:
        UsageError: They do not fit; the message lists the differences.
    """
    who = f"The policy of {checkpoint}" if checkpoint else "The policy"
    brief = policy_spec.robot != env_spec.robot
    found = "; ".join(_differences(policy_spec, env_spec, objects=objects, instructions=instructions, brief=brief))
    if brief:
        also = f" Also different from {embodiment_of(policy_spec)}: {found}." if found else ""
        what, remedy = _other_robot(known or (policy_spec,), env_spec)
        raise UsageError(f"{who} cannot act in {env_spec.task}, {what}.{also} {remedy}")
    if found:
        raise UsageError(
            f"{who} was trained on {_named(policy_spec.task)} and cannot act in {env_spec.task}: {found}. Take a "
            "checkpoint that was trained on such data, or an environment like that of its training."
        )


def _other_robot(known: Sequence[EnvSpec], env_spec: EnvSpec) -> tuple[str, str]:
    """What is wrong with the robot, and what to do about it."""
    there = env_spec.robot
    robots = " and ".join(f"{embodiment_of(spec)} (trained on {_named(spec.task)})" for spec in known)
    if there in {spec.robot for spec in known}:
        remedy = "It acts with one of its robots at a time, now another; give the tasks of each a run of their own."
    else:
        remedy = f"Take a checkpoint that was trained on data of {there}, or a task of a robot it knows."
    return f"whose robot is {there}: it knows {robots}", remedy


def _differences(
    policy_spec: EnvSpec, env_spec: EnvSpec, *, objects: bool, instructions: Sequence[str], brief: bool
) -> Iterator[str]:
    """But for the robot; in brief, long lists of names are not spelt out."""
    names = [*MUST_AGREE, *(["image_size"] if policy_spec.cameras else []), *(["object_names"] if objects else [])]
    for name in names:
        wanted, there = getattr(policy_spec, name), getattr(env_spec, name)
        if wanted != there:
            long = brief and name.endswith("_names")
            yield name if long else f"{name}: the policy has {_words(wanted)}, the environment {_words(there)}"
    missing = tuple(camera for camera in policy_spec.cameras if camera not in env_spec.cameras)
    if missing:
        yield f"cameras: the policy needs {_words(missing)}, the environment has {_words(env_spec.cameras)}"
    if instructions and env_spec.instruction not in instructions:
        some = "; ".join([*instructions[:SHOWN], *(["..."] if len(instructions) > SHOWN else [])])
        yield f"instruction: the environment has {env_spec.instruction!r}, the policy was trained on {some}"


def _words(value: object) -> str:
    """Names one after the other, all else as it is."""
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value) or "none"
    return str(value)


def unseen_tasks_warning(policy_spec: EnvSpec, env_specs: Sequence[EnvSpec]) -> str:
    """What to say, in one line, of tasks that the policy was not trained on; empty if there are none.

    Args:
        policy_spec: Spec of the checkpoint.
        env_specs: Specs of the environments it acts in.
    """
    unseen = [spec.task for spec in env_specs if not _trained_on(policy_spec, spec)]
    if not unseen:
        return ""
    return (
        f"The policy was not trained on {_named('+'.join(unseen))}, but on {_named(policy_spec.task)}: what it does "
        "there is generalisation."
    )


def _trained_on(policy_spec: EnvSpec, env_spec: EnvSpec) -> bool:
    """By name, "A" or one of "A+B"; the same definition in another file is the same task."""
    digest = env_spec.definition_sha256
    if digest and digest == policy_spec.definition_sha256:
        return True
    return f"+{env_spec.task}+" in f"+{policy_spec.task}+"


def _named(task: str) -> str:
    """The tasks of a spec, or how many, if they are many."""
    names = task.split("+")
    return " and ".join(names) if len(names) <= SHOWN else f"{len(names)} tasks"


# FOLDED policies.embodiment: Which kind of robot a spec is of.


def embodiment_of(spec: EnvSpec) -> str:
    """A robot in a way to control it, for instance "viperx_bimanual-joint"."""
    return f"{spec.robot}-{spec.control}"
