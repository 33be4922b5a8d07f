"""What codes do to robots, as one picture: `python -m ambidex.benchmarks.code_grid --checkpoint RUN --codes 3 17 42`.

A row for each code, a column for each task and its robot: pictures of a second of open-loop play from one start.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.code_play import CodePlay
from ambidex.benchmarks.picture_file import check_picture_name, write_picture
from ambidex.benchmarks.picture_table import Column, picture_table
from ambidex.benchmarks.running.policy_fit import play_code
from ambidex.command_line import Names, OptionalPath, Switch, run
from ambidex.envs.registry import find_task
from ambidex.errors import UsageError
from ambidex.policies.checkpoint import load
from ambidex.policies.compatibility import embodiment
from ambidex.policies.policy import Policy
from ambidex.policies.run_folder import find_checkpoint


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
        play_code(policy, code, "--codes")  # refuses one that is not there before anything is played
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
            title=f"{task}, {embodiment(policy.spec)}",
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


if __name__ == "__main__":
    run("code-grid", main, CodeGridConfig)
