"""The registered axes of perturbation, and the flags that name them."""

import re
from collections.abc import Mapping, Sequence, Set
from enum import Enum, auto
from typing import cast

from ambidex.envs.perturbations.perturbation import LEVELS, LIBERO_PLUS, SET_IN, Clean, Level, Perturbation
from ambidex.envs.simulation.scene import Extend
from ambidex.errors import UsageError, check_name
from ambidex.lookup import resolve


class Changes(Enum):
    """What an axis changes. Commands know it without a scene."""

    IMAGES = auto()
    """Images, from the first one on, and nothing else."""
    LATER_IMAGES = auto()
    """Images, but not the first one of an episode, and nothing else."""
    INSTRUCTION = auto()
    """The instruction and nothing else."""
    INITIAL_STATE = auto()
    """The state in which an episode starts."""
    OBSTACLES = auto()
    """What is in the scene: it is seen in images of given states, and can be touched."""
    ACTIONS = auto()
    """The actions that are executed."""
    DYNAMICS = auto()
    """What follows from actions, settling steps included."""
    LATER = auto()
    """What one of the others changes, from a stage of the task on."""


EVENT = "event"
REGISTERED: Mapping[str, tuple[str, Changes]] = {
    "camera": ("appearance.camera:SceneCameras", Changes.IMAGES),
    "wrist_camera": ("appearance.wrist_camera:WristCameras", Changes.IMAGES),
    "fov": ("appearance.fov:FieldOfView", Changes.IMAGES),
    "light": ("appearance.light:Light", Changes.IMAGES),
    "object_colour": ("appearance.object_colour:ObjectColour", Changes.IMAGES),
    "background": ("appearance.background:Background", Changes.IMAGES),
    "layout": ("physics.layout:Layout", Changes.INITIAL_STATE),
    "distractors": ("physics.distractors:Distractors", Changes.OBSTACLES),
    "robot_start": ("physics.robot_start:RobotStart", Changes.INITIAL_STATE),
    "sensor": ("inputs.sensor:Sensor", Changes.IMAGES),
    "language": ("inputs.language:Language", Changes.INSTRUCTION),
    "lag": ("inputs.lag:Lag", Changes.LATER_IMAGES),
    "action_delay": ("physics.action_delay:ActionDelay", Changes.ACTIONS),
    "action_noise": ("physics.action_noise:ActionNoise", Changes.ACTIONS),
    "dynamics": ("physics.dynamics:Dynamics", Changes.DYNAMICS),
    EVENT: ("event:Event", Changes.LATER),
}
"""Axis -> its class in this package, and what it changes."""
AXES: Mapping[str, str] = {axis: f"ambidex.envs.perturbations.{path}" for axis, (path, _) in REGISTERED.items()}
LIBERO_PLUS_AXES: Mapping[str, str] = {
    "camera": "ambidex.envs.perturbations.libero_plus:LiberoPlusCameras",
    "robot_start": "ambidex.envs.perturbations.libero_plus:LiberoPlusStart",
    "sensor": "ambidex.envs.perturbations.libero_plus:LiberoPlusSensor",
}
"""Axes that have the level "libero_plus" -> what draws it."""
DEFAULT_LEVEL = 3


def axes_that_change(*changes: Changes) -> frozenset[str]:
    """The axes that change one of these."""
    return frozenset(axis for axis, (_, each) in REGISTERED.items() if each in changes)


IMAGES_ONLY = axes_that_change(Changes.IMAGES, Changes.LATER_IMAGES)
INSTRUCTION_ONLY = axes_that_change(Changes.INSTRUCTION)
OBSTACLES = axes_that_change(Changes.OBSTACLES)
ACTIONS = axes_that_change(Changes.ACTIONS)
STARTS = axes_that_change(Changes.INITIAL_STATE, Changes.OBSTACLES, Changes.DYNAMICS)
"""Axes under which an episode may be impossible to solve from its start."""


def parse_axes(words: str | Sequence[str]) -> dict[str, Level]:
    """Axis -> level of words such as "camera:3", in the order of `AXES`; without a level it is 3.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A word without an axis, a level that the axis does not have, or an axis twice.
    """
    levels: dict[str, Level] = {}
    for word in [words] if isinstance(words, str) else words:
        axis, colon, text = word.partition(":")
        if not axis:
            problem = f"Perturbation {word!r}: no axis is named."
            raise UsageError(problem, f"Name one or more of {', '.join(AXES)}.", got=word, expected=tuple(AXES))
        check_name("axis of perturbation", axis, AXES)
        if axis in levels:
            problem = f"Perturbation {word}: {axis} is given twice."
            raise UsageError(problem, "Give each axis once.", got=word)
        levels[axis] = _level(axis, text) if colon else DEFAULT_LEVEL
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


def as_file_name(word: str) -> str:
    """A word such as "camera:3" as a part of a file name: "camera3", or "camera-libero_plus"."""
    return re.sub(r":(?=\d)", "", word).replace(":", "-")


def executed_axes(perturbed: Mapping[str, Mapping[str, int | float | str]]) -> frozenset[str]:
    """The axes, given what was drawn for an episode, whose changes are in the actions that were executed in it."""
    of_actions = perturbed.get(EVENT, {}).get("axis") in ACTIONS
    return ACTIONS | {EVENT} if of_actions else ACTIONS


def event_step(perturbed: Mapping[str, Mapping[str, int | float | str]]) -> int | None:
    """The control step at which the event of an episode set in, given what was drawn for it; None if none did."""
    step = perturbed.get(EVENT, {}).get(SET_IN, "")
    return None if step == "" else int(step)


def event_before(perturbed: Mapping[str, Mapping[str, int | float | str]]) -> int | None:
    """0 if the event of an episode is in effect from its first state on, as in many take-overs; None otherwise."""
    return 0 if event_step(perturbed) == 0 else None


def axes_of_initial_states(words: Sequence[str], settle_steps: int) -> tuple[str, ...]:
    """Those of the words that change the initial state of an episode."""
    settling = (Changes.DYNAMICS,) if settle_steps else ()
    return only(words, axes_that_change(Changes.INITIAL_STATE, *settling))


def make_perturbation(axis: str, level: Level, clean: Clean) -> Perturbation:
    """The perturbation of a registered axis at a level of 1 to 5, or "libero_plus" where it has that.

    Raises:
        PerturbationError: The environment has nothing that this axis changes.
    """
    return _class_of(axis, level)(clean, level)


def model_extensions(words: str | Sequence[str]) -> tuple[Extend, ...]:
    """What adds to the model of a scene what the axes in these words need, except those at level 0.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level other than 0 to 5, or an axis twice.
    """
    kinds = [_class_of(axis, level) for axis, level in parse_axes(words).items() if level]
    return tuple(kind.extend for kind in kinds)


def _class_of(axis: str, level: Level) -> type[Perturbation]:
    registry = LIBERO_PLUS_AXES if level == LIBERO_PLUS else AXES
    return cast("type[Perturbation]", resolve("axis of perturbation", axis, registry))


def _level(axis: str, text: str) -> Level:
    if text == LIBERO_PLUS and axis in LIBERO_PLUS_AXES:
        return LIBERO_PLUS
    if text in map(str, range(LEVELS + 1)):
        return int(text)
    also = f", or {LIBERO_PLUS}" if axis in LIBERO_PLUS_AXES else ""
    problem = f"Perturbation {axis}:{text}: level {text!r}, expected 0 (the clean episode) to {LEVELS}{also}."
    of_others = f" Only {', '.join(LIBERO_PLUS_AXES)} have {LIBERO_PLUS}." if text == LIBERO_PLUS else ""
    raise UsageError(problem, f"Write {axis}:{DEFAULT_LEVEL}, for example.{of_others}", got=f"{axis}:{text}")
