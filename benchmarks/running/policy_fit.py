"""A loaded policy, made ready for a task: which of its robots, which code, and whether it fits."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.benchmarks.running.served_agents import environment_for
from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.registry import find_task
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.compatibility import check_compatible, embodiment

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy


def use_robot_of(policy: "Policy", task: str, control: str | None = None) -> None:
    """Have a policy of several robots act with the one of a task.

    Args:
        policy: Who acts; left as it is if it knows no such robot, which `fitting_spec` refuses.
        task: Any name of the task.
        control: In which control mode; None for the only one in which the policy knows the robot.

    Raises:
        UsageError: It knows the robot in other control modes than this, or in several and none is asked for.
    """
    robot = find_task(task).robot
    known = {spec.control: embodiment(spec) for spec in policy.specs if spec.robot == robot}
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
    policy.use_robot(known[chosen])


def play_code(policy: "Policy", code: int, flag: str = "--code") -> None:
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
        policy.play_code(code)
    except UsageError as error:
        raise UsageError(f"{flag} {code} is none of the policy's codes. It says: {error}") from error


def fitting_spec(task: str, policy: "Policy", terms: Terms, checkpoint: Path | None = None) -> EnvSpec:
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
