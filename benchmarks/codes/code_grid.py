"""Shows what codes do to robots: `python -m ambidex.benchmarks.codes.code_grid --checkpoint RUN --codes 3 17`.

Draws one image with a row for each code and a column for each task and its robot. A cell shows frames of a one-second
open-loop rollout with this code, always from the same initial state.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.benchmarks.codes.drawing import Column, check_image_name, image_table, write_image
from ambidex.benchmarks.evaluation.agents import policy_environment
from ambidex.benchmarks.evaluation.policy_loading import compatible_spec, fix_code, select_robot
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.command_line import run
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES, find_task
from ambidex.envs.rollout import rollout
from ambidex.envs.types import EnvSpec, FloatArray, ImageArray, Outcome
from ambidex.errors import SimulationError, UsageError
from ambidex.flags import Names, OptionalPath, Switch
from ambidex.policies.checkpoint import load
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.policy import Policy
from ambidex.policies.run_folder import find_checkpoint
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.local import executing_agent


@dataclass(frozen=True, kw_only=True)
class CodeGridConfig:
    """Draw what codes of a policy do to robots: a row for each code, a column for each task."""

    checkpoint: OptionalPath = None
    """Checkpoint or run folder. Required."""
    codes: tuple[int, ...] = ()
    """Codes to execute. Required."""
    tasks: tuple[str, ...] = ("transfer_cube", "libero_goal/1")
    """Tasks to execute them in, each with its robot."""
    cameras: Names = None
    """One camera for each task; auto is the first camera of its family."""
    control: Names = None
    """One control mode for each task, e.g. joint ee; auto is the only one in which the policy knows the robot."""
    seed: int = 0
    """Seed of the initial state."""
    seconds: float = 1.0
    """Simulated time of a rollout [s]."""
    frames: int = 4
    """Frames of a rollout, from its first to its last."""
    height: int = 150
    """Height of a frame [px]."""
    render_quality: str = "standard"
    """standard or studio."""
    output: Path = Path("results/code_grid.jpg")
    """The image to write, .jpg or .png."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: CodeGridConfig) -> None:
    """Roll out every code in every task and write the image."""
    checkpoint = find_checkpoint(_checked(config))
    policy = load(checkpoint)
    for code in config.codes:
        fix_code(policy, code, "--codes")  # refuses an unknown code before the first rollout
    columns = list(_columns(policy, checkpoint, config))
    write_image(config.output, image_table([f"code {code}" for code in config.codes], columns))
    if not config.quiet:
        print(config.output)


def _checked(config: CodeGridConfig) -> Path:
    """The checkpoint, after checking the other flags."""
    if config.checkpoint is None or not config.codes:
        raise UsageError("--checkpoint and --codes are required.", "E.g. --checkpoint runs/uniact --codes 3 17 42.")
    if not config.tasks:
        raise UsageError("--tasks: expected one task or more.", "For example: --tasks transfer_cube libero_goal/1.")
    _check_one_per_task("--cameras", config.cameras, config.tasks)
    _check_one_per_task("--control", config.control, config.tasks)
    if config.frames < 2 or config.height < 1 or not 0 < config.seconds < math.inf:
        raise UsageError(
            f"--frames {config.frames}, --height {config.height}, --seconds {config.seconds}: expected 2 frames or "
            "more of 1 px or more, and more than 0 s."
        )
    check_image_name(config.output)
    return config.checkpoint


def _check_one_per_task(flag: str, names: tuple[str, ...] | None, tasks: tuple[str, ...]) -> None:
    if names and len(names) != len(tasks):
        problem = f"{flag} {' '.join(names)}: {len(names)} for {len(tasks)} tasks, {' '.join(tasks)}."
        raise UsageError(problem, "Give one for each task, in their order, or leave the flag out.")


def _columns(policy: Policy, checkpoint: Path, config: CodeGridConfig) -> Iterator[Column]:
    times = [config.seconds * number / (config.frames - 1) for number in range(config.frames)]
    auto = (None,) * len(config.tasks)
    for task, camera, control in zip(config.tasks, config.cameras or auto, config.control or auto, strict=True):
        cells = strips(config, policy, task, camera, control, checkpoint)
        yield Column(
            title=f"{task}, {embodiment_of(policy.spec)}",
            subtitle=find_task(task).instruction,
            marks=[f"{time:.2f} s" for time in times],
            cells=cells,
        )


def strips(
    config: CodeGridConfig,
    policy: Policy,
    task: str,
    camera: str | None = None,
    control: str | None = None,
    checkpoint: Path | None = None,
) -> list[list[ImageArray]]:
    """The frames of each code's open-loop rollout, evenly spaced in time, shape (height, W, 3) uint8 RGB.

    Args:
        config: The codes, and how to roll them out and draw them.
        policy: A policy that has codes; it computes on the CPU, and its code stays fixed to the last one.
        task: The task, which also selects the robot.
        camera: The camera; None for the first of the task's family.
        control: Control mode; None for the only one in which the policy knows the robot.
        checkpoint: Path of the policy, for the message if it does not fit the task; None for no path.

    Raises:
        UsageError: The policy does not fit the task, or has no such code or camera.
        SimulationError: A rollout raised an error.
    """
    select_robot(policy, task, control)
    spec = compatible_spec(task, policy, TaskSettings(), checkpoint)
    settings = TaskSettings(horizon=steps(config, spec))
    with (
        closing(policy_environment(task, policy.spec, policy.inputs, settings)) as env,
        closing(_rendering_env(config, task, spec, camera)) as renderer,
    ):
        return [_render(config, renderer, _states(config, policy, env, code)) for code in config.codes]


def steps(config: CodeGridConfig, spec: EnvSpec) -> int:
    """Control steps of a rollout."""
    return max(1, round(config.seconds * spec.control_hz))


def _rendering_env(config: CodeGridConfig, task: str, spec: EnvSpec, camera: str | None) -> Environment:
    family = FAMILIES[spec.family]
    height, width = family.image_size
    size = (config.height, round(config.height * width / height))
    cameras = (camera or family.cameras[0],)
    return TaskSettings().environment(task, cameras=cameras, image_size=size, render_quality=config.render_quality)


def _states(config: CodeGridConfig, policy: Policy, env: Environment, code: int) -> FloatArray:
    """All states of the rollout of a code, shape (T+1, S)."""
    fix_code(policy, code)
    agent = executing_agent(policy, choose_execution("chunk", None, None, policy.chunk_size))
    result = rollout(env, agent, config.seed)
    if result.outcome is Outcome.ERROR:
        raise SimulationError(f"The rollout of code {code} in {env.spec.task} raised an error: {result.reason}")
    return result.states


def _render(config: CodeGridConfig, env: Environment, states: FloatArray) -> list[ImageArray]:
    moments = np.linspace(0, len(states) - 1, config.frames).round().astype(int)
    return [env.render(states[moment], env.spec.cameras[0]) for moment in moments]


if __name__ == "__main__":
    run("code-grid", main, CodeGridConfig)
