"""The registered axes of perturbation, and the flags that name them."""

from collections.abc import Mapping, Sequence, Set
from typing import cast

from ambidex.envs.perturbations.perturbation import LEVELS, Clean, Perturbation
from ambidex.envs.simulation.scene import Extend
from ambidex.errors import UsageError, check_name
from ambidex.lookup import resolve

AXES: Mapping[str, str] = {
    "camera": "ambidex.envs.perturbations.appearance.camera:SceneCameras",
    "wrist_camera": "ambidex.envs.perturbations.appearance.wrist_camera:WristCameras",
    "fov": "ambidex.envs.perturbations.appearance.fov:FieldOfView",
    "light": "ambidex.envs.perturbations.appearance.light:Light",
    "object_colour": "ambidex.envs.perturbations.appearance.object_colour:ObjectColour",
    "background": "ambidex.envs.perturbations.appearance.background:Background",
    "layout": "ambidex.envs.perturbations.physics.layout:Layout",
    "distractors": "ambidex.envs.perturbations.physics.distractors:Distractors",
    "robot_start": "ambidex.envs.perturbations.physics.robot_start:RobotStart",
    "sensor": "ambidex.envs.perturbations.inputs.sensor:Sensor",
    "language": "ambidex.envs.perturbations.inputs.language:Language",
    "lag": "ambidex.envs.perturbations.inputs.lag:Lag",
    "action_delay": "ambidex.envs.perturbations.physics.action_delay:ActionDelay",
    "action_noise": "ambidex.envs.perturbations.physics.action_noise:ActionNoise",
    "dynamics": "ambidex.envs.perturbations.physics.dynamics:Dynamics",
}
DEFAULT_LEVEL = 3

IMAGES_ONLY = frozenset({"camera", "wrist_camera", "fov", "light", "object_colour", "background", "sensor", "lag"})
"""Axes that change images and nothing else."""
OBSTACLES = frozenset({"distractors"})
"""Axes that put things into the scene: they are seen in images of given states, and can be touched."""
STARTS = frozenset({"layout", "distractors", "robot_start", "dynamics"})
"""Axes that change the scene in which an episode starts, so that it may be impossible to solve."""
INSTRUCTION_ONLY = frozenset({"language"})
"""Axes that change the instruction and nothing else."""

ACTIONS = frozenset({"action_delay", "action_noise"})
"""Axes that change the actions which are executed."""


def parse_axes(words: str | Sequence[str]) -> dict[str, int]:
    """Axis -> level of words such as "camera:3", in the order of `AXES`; without a level it is 3.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level other than 0 to 5, or an axis twice.
    """
    levels: dict[str, int] = {}
    for word in [words] if isinstance(words, str) else words:
        axis, colon, text = word.partition(":")
        check_name("axis of perturbation", axis, AXES)
        if text not in map(str, range(LEVELS + 1)) and colon:
            problem = f"Perturbation {word}: level {text!r}, expected 0 (the clean episode) to {LEVELS}."
            raise UsageError(problem, f"Write {axis}:{DEFAULT_LEVEL}, for example.", got=word)
        if axis in levels:
            problem = f"Perturbation {word}: {axis} is given twice."
            raise UsageError(problem, "Give each axis once.", got=word)
        levels[axis] = int(text) if colon else DEFAULT_LEVEL
    return {axis: levels[axis] for axis in AXES if axis in levels}


def axes_with_levels(words: str | Sequence[str]) -> tuple[str, ...]:
    """The same perturbations as words with levels, in the order of `AXES`, without those at level 0."""
    return tuple(f"{axis}:{level}" for axis, level in parse_axes(words).items() if level)


def only(words: Sequence[str], axes: Set[str]) -> tuple[str, ...]:
    """Those of the words that name some axes."""
    return tuple(word for word in words if word.partition(":")[0] in axes)


def without(words: Sequence[str], axes: Set[str]) -> tuple[str, ...]:
    """Those of the words that name other axes."""
    return tuple(word for word in words if word.partition(":")[0] not in axes)


def axes_of_initial_states(words: Sequence[str], settle_steps: int) -> tuple[str, ...]:
    """Those of the words that change the initial state of an episode."""
    return only(words, {"layout", "robot_start", *(("dynamics",) if settle_steps else ())})


def make_perturbation(axis: str, level: int, clean: Clean) -> Perturbation:
    """The perturbation of a registered axis at a level of 1 to 5.

    Raises:
        PerturbationError: The environment has nothing that this axis changes.
    """
    return _class_of(axis)(clean, level)


def model_extensions(words: str | Sequence[str]) -> tuple[Extend, ...]:
    """What adds to the model of a scene what the axes in these words need, except those at level 0.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level other than 0 to 5, or an axis twice.
    """
    kinds = [_class_of(axis) for axis, level in parse_axes(words).items() if level]
    return tuple(kind.extend for kind in kinds)


def _class_of(axis: str) -> type[Perturbation]:
    return cast("type[Perturbation]", resolve("axis of perturbation", axis, AXES))
