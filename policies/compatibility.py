"""Whether a policy can act in an environment. Needs numpy alone."""

from collections.abc import Sequence

from ambidex.envs.errors import UsageError
from ambidex.envs.types import EnvSpec

MUST_AGREE = ("robot", "control", "control_hz", "action_names", "joint_names")

SHOWN = 5  # instructions that are named in a message


def check_compatible(
    policy_spec: EnvSpec, env_spec: EnvSpec, *, objects: bool = False, instructions: Sequence[str] = ()
) -> None:
    """Refuse a policy that was trained for another robot, control mode, rate, or other cameras.

    Args:
        policy_spec: Spec of the checkpoint; its cameras are those the policy looks at.
        env_spec: Spec of the environment.
        objects: The policy looks at object poses, so these must agree too.
        instructions: The only instructions the policy can follow; empty if it takes any.

    Raises:
        UsageError: They do not fit; the message lists the differences.
    """
    names = [*MUST_AGREE, *(["image_size"] if policy_spec.cameras else []), *(["object_names"] if objects else [])]
    lines = [
        f"{name}: the policy has {getattr(policy_spec, name)}, the environment {getattr(env_spec, name)}"
        for name in names
        if getattr(policy_spec, name) != getattr(env_spec, name)
    ]
    missing = [camera for camera in policy_spec.cameras if camera not in env_spec.cameras]
    if missing:
        shown = ", ".join(env_spec.cameras) or "none"
        lines.append(f"cameras: the policy needs {', '.join(missing)}, the environment has {shown}")
    if instructions and env_spec.instruction not in instructions:
        some = "; ".join([*instructions[:SHOWN], *(["..."] if len(instructions) > SHOWN else [])])
        lines.append(f"instruction: the environment has {env_spec.instruction!r}, the policy was trained on {some}")
    if lines:
        raise UsageError(
            f"The policy was trained on {_named(policy_spec.task)} and cannot act in {env_spec.task}: "
            f"{'; '.join(lines)}. Take a checkpoint that was trained on such data, or an environment like that of its "
            "training."
        )


def unseen_warning(policy_spec: EnvSpec, env_specs: Sequence[EnvSpec]) -> str:
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
