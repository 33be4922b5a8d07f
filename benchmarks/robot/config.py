"""The flags of `evaluate-robot`, which are also the arguments of `evaluate`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from ambidex.benchmarks.evaluation.config import PolicyFlags, Videos
from ambidex.envs.types import FIRST_BENCHMARK_SEED
from ambidex.flags import Names, OptionalInt, OptionalName, OptionalPath, Switch, readable_signature

COMMAND = "evaluate-robot"


@readable_signature
@dataclass(frozen=True, kw_only=True)
class RobotConfig(PolicyFlags):
    """Measure the success rate of a policy on a real robot, or on anything else that has the interface of one.

    The control rate is kept and every command is checked against the robot's limits. A violation, an error and Ctrl-C
    stop the arm first. After each rollout you are asked whether it succeeded; u takes the last verdict back. Rollouts
    are stored as run-benchmark stores episodes, so the same commands compare, watch and export them.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "robot policy checkpoint task rollouts unseen verdicts output_dir video resume",
        "Robot": "instruction stages horizon seed call_timeout video_cameras",
        "Policy": "execution execute_steps code device",
        "Policy on a server (--policy remote)": "url layout map policy_name timeout",
        "Output": "quiet debug",
    }

    robot: Annotated[str, tyro.conf.arg(metavar="MODULE:FACTORY")] = ""
    """Python code that connects to the robot (required): a function or class that takes what is asked of the robot and
    returns it, see docs/robot.md. ambidex.benchmarks.robot.simulated:SimulatedRobot is a simulated one for any task."""
    policy: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    """A trained policy such as act (required); or hold, which keeps the initial pose; or remote, any policy on a server
    that speaks openpi's websocket protocol; or MODULE:NAME, Python code of your own."""
    checkpoint: OptionalPath = None
    """Checkpoint or run folder of a trained policy; auto is the newest run of that policy under runs/ that was
    trained on the task, if that is one of ambidex."""
    task: OptionalName = None
    """The task (required): a task of ambidex, such as insertion, whose instruction and stages are then used; or the
    robot's own; or the instruction in words."""
    instruction: OptionalName = None
    """What the policy is told in this session, if it is not the task's instruction."""
    stages: Annotated[Names, tyro.conf.arg(metavar="NAME ...")] = None
    """Stages of the task that you will be asked for, in order, the goal last; auto is the task's or the robot's."""
    rollouts: int = 5
    """Rollouts, all sessions together."""
    unseen: Annotated[Names, tyro.conf.arg(metavar="{object,background,distractor,position,instruction} ...")] = None
    """What is unlike the training data in the rollouts of this session; may change with --resume. The summary has a
    rate for each."""
    verdicts: OptionalName = None
    """Who says whether a rollout succeeded: ask asks at the keyboard; robot asks the robot, if it can tell; or a file,
    to which you or a program add a line of JSON for each rollout; auto is ask."""
    horizon: OptionalInt = None
    """Control steps of a rollout; auto is the robot's."""
    seed: int = FIRST_BENCHMARK_SEED
    """Number of the first rollout, 100000 or more; a simulated robot makes the initial state of this seed."""
    call_timeout: float = 10.0
    """How long the robot may take to observe, act or stop [s]; to connect or move home, six times as long."""
    video: Videos = None
    """Keep videos of the failures, of all rollouts or of none; auto is all. They cannot be made later."""
    video_cameras: Names = None
    """Cameras of videos; auto is the robot's first."""
    output_dir: OptionalPath = None
    """Results folder; auto is results/POLICY-robot-TASK."""
    resume: Switch = False
    """Resume an interrupted evaluation, or extend it: give the original flags again."""
    quiet: Switch = False
    """Print nothing but errors and questions."""
    debug: Switch = False
    """Print tracebacks."""
