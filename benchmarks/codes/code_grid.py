"""What codes do to robots, as one picture: `python -m ambidex.benchmarks.codes.code_grid --checkpoint RUN --codes 3 17 42`.

A row for each code, a column for each task and its robot: pictures of a second of open-loop play from one start.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ambidex.benchmarks.codes.drawing import Column, check_picture_name, picture_table, write_picture
from ambidex.benchmarks.evaluation.agents import environment_for
from ambidex.benchmarks.evaluation.policy_loading import compatible_spec, fix_code, select_robot
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.command_line import run
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES, find_task
from ambidex.envs.rollout import rollout
from ambidex.envs.types import EnvSpec, FloatArray, ImageArray, Observation, Outcome
from ambidex.errors import SimulationError, UsageError
from ambidex.flags import Names, OptionalPath, Switch
from ambidex.policies.checkpoint import load
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import Chunk, ObservationMessage
from ambidex.policies.policy import Policy
from ambidex.policies.run_folder import find_checkpoint
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.fixed_batch import FixedBatch

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class CodeGridConfig:
    """Draw what codes of a policy do to robots: a row for each code, a column for each task."""

    checkpoint: OptionalPath = None
    """Checkpoint or run folder. Must be given."""
    codes: tuple[int, ...] = ()
    """Codes to play. Must be given."""
    tasks: tuple[str, ...] = ("transfer_cube", "libero_goal/1")
    """Tasks to play them in, each with its robot."""
    cameras: Names = None
    """One view for each task; none given: the first camera of its family."""
    control: Names = None
    """One control mode for each task, e.g. joint ee; none given: the only one in which the policy knows the robot."""
    seed: int = 0
    """Seed of the start."""
    seconds: float = 1.0
    """Simulated time of a play [s]."""
    frames: int = 4
    """Pictures of a play, from its start to its end."""
    height: int = 150
    """Height of a picture [px]."""
    render_quality: str = "standard"
    """standard or studio."""
    output: Path = Path("results/code_grid.jpg")
    """The picture to write, .jpg or .png."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: CodeGridConfig) -> None:
    """Play every code in every task and write the picture."""
    checkpoint = find_checkpoint(_checked(config))
    policy = load(checkpoint)
    for code in config.codes:
        fix_code(policy, code, "--codes")  # refuses one that is not there before anything is played
    columns = list(_columns(policy, checkpoint, config))
    write_picture(config.output, picture_table([f"code {code}" for code in config.codes], columns))
    if not config.quiet:
        print(config.output)


def _columns(policy: Policy, checkpoint: Path, config: CodeGridConfig) -> Iterator[Column]:
    play = CodePlay(
        seed=config.seed,
        seconds=config.seconds,
        frames=config.frames,
        height=config.height,
        quality=config.render_quality,
    )
    times = [config.seconds * number / (config.frames - 1) for number in range(config.frames)]
    usual = (None,) * len(config.tasks)
    for task, camera, control in zip(config.tasks, config.cameras or usual, config.control or usual, strict=True):
        cells = play.strips(policy, task, config.codes, camera, control, checkpoint)
        yield Column(
            title=f"{task}, {embodiment_of(policy.spec)}",
            subtitle=find_task(task).instruction,
            marks=[f"{time:.2f} s" for time in times],
            cells=cells,
        )


def _checked(config: CodeGridConfig) -> Path:
    """The checkpoint, if the rest is as it should be."""
    if config.checkpoint is None or not config.codes:
        raise UsageError(
            "Give --checkpoint, the run of a policy that has codes, e.g. runs/uniact, and --codes, e.g. 3 17 42."
        )
    if not config.tasks:
        raise UsageError("--tasks has none. Expected one task or more, e.g. transfer_cube libero_goal/1.")
    _check_one_each("--cameras", config.cameras, config.tasks)
    _check_one_each("--control", config.control, config.tasks)
    if config.frames < 2 or config.height < 1 or not 0 < config.seconds < math.inf:
        raise UsageError(
            f"--frames {config.frames}, --height {config.height}, --seconds {config.seconds}: expected 2 pictures or "
            "more of 1 px or more, and more than 0 s."
        )
    check_picture_name(config.output)
    return config.checkpoint


def _check_one_each(flag: str, names: tuple[str, ...] | None, tasks: tuple[str, ...]) -> None:
    if names and len(names) != len(tasks):
        raise UsageError(
            f"{flag} {' '.join(names)}: {len(names)} for {len(tasks)} tasks, {' '.join(tasks)}. Expected one for each, "
            "in their order, or leave the flag out."
        )


# FOLDED benchmarks.code_play: What one code of a policy does to a robot: a short open-loop play from the start of a task, in pictures.


@dataclass(frozen=True, kw_only=True)
class CodePlay:
    """How codes are played and pictured.

    Attributes:
        seed: Episode seed of the start.
        seconds: Simulated time [s].
        frames: Pictures, evenly spread from the start to the end.
        height: Of a picture [px]; its shape is that of the task's family.
        quality: "standard" or "studio".
    """

    seed: int
    seconds: float
    frames: int
    height: int
    quality: str

    def strips(
        self,
        policy: "Policy",
        task: str,
        codes: tuple[int, ...],
        camera: str | None = None,
        control: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[list[ImageArray]]:
        """The pictures of each code, shape (height, W, 3) uint8 RGB.

        Args:
            policy: What the codes are of; it computes on a CPU, and keeps to the last code.
            task: Where they are played, with the robot of this task.
            codes: Which.
            camera: Which view; None for the first of the task's family.
            control: In which control mode; None for the only one in which the policy knows the robot.
            checkpoint: Where the policy comes from, to be named if it does not fit; None to name none.

        Raises:
            UsageError: The policy does not fit the task, or has no such code.
            UnknownNameError: The task has no such camera.
            SimulationError: A play broke.
        """
        select_robot(policy, task, control)
        spec = compatible_spec(task, policy, TaskSettings(), checkpoint)
        terms = TaskSettings(horizon=self.steps(spec))
        with (
            closing(environment_for(task, policy.spec, policy.inputs, terms)) as acted,
            closing(self._filmed(task, spec, camera)) as seen,
        ):
            return [self._strip(seen, self._states(policy, acted, code)) for code in codes]

    def steps(self, spec: EnvSpec) -> int:
        """Control steps of a play."""
        return max(1, round(self.seconds * spec.control_hz))

    def _filmed(self, task: str, spec: EnvSpec, camera: str | None) -> Environment:
        family = FAMILIES[spec.family]
        height, width = family.image_size
        size = (self.height, round(self.height * width / height))
        return TaskSettings().environment(
            task, cameras=(camera or family.cameras[0],), image_size=size, render_quality=self.quality
        )

    def _states(self, policy: "Policy", env: Environment, code: int) -> FloatArray:
        """States before, within and after the play of a code, shape (T+1, S)."""
        fix_code(policy, code)
        batch = FixedBatch(policy, torch.device("cpu"), 1)

        def ask(observation: Observation) -> Chunk:
            return batch.answer([ObservationMessage.of(observation, policy.inputs)])[0]

        agent = choose_execution("chunk", None, None, policy.chunk_size).agent(ask)
        result = rollout(env, agent, self.seed)
        if result.outcome is Outcome.ERROR:
            raise SimulationError(f"Code {code} could not be played in {env.spec.task}: {result.reason}")
        return result.states

    def _strip(self, env: Environment, states: FloatArray) -> list[ImageArray]:
        moments = np.linspace(0, len(states) - 1, self.frames).round().astype(int)
        return [env.render(states[moment], env.spec.cameras[0]) for moment in moments]


if __name__ == "__main__":
    run("code-grid", main, CodeGridConfig)
