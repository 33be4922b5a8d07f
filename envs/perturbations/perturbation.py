"""The base class of perturbations: one thing that differs from the clean episode of the same task and seed."""

import zlib
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import mujoco
import numpy as np

from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Task
from ambidex.envs.types import Drawn as Drawn
from ambidex.envs.types import EnvSpec, Float32Array, FloatArray, ImageArray

LEVELS = 5
SET_IN = "set_in_step"
"""Name of the drawn value of an event that is the control step at which it set in; "" if it did not."""
LIBERO_PLUS: Final = "libero_plus"
Level = int | Literal["libero_plus"]
"""1 to `LEVELS`, or what LIBERO-plus draws, of the axes for which that is known."""
MIX = "mix"  # whose random numbers decide which episodes of a dataset are perturbed; no axis


def axis_rng(axis: str, *numbers: int) -> np.random.Generator:
    """The random generator of an axis: of an episode, given its seed, or of one of its steps or looks, given both.

    Every axis has its own, so another axis or level never changes what it draws. The task is not part of it: the same
    seed has the same camera in all tasks.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([zlib.crc32(axis.encode()), *numbers])))


def random_direction(rng: np.random.Generator, size: int) -> FloatArray:
    """A unit vector, shape (size,), any direction as likely as another."""
    direction = rng.normal(size=size)
    return np.asarray(direction / np.linalg.norm(direction))


def is_perturbed(seed: int, share: float) -> bool:
    """Whether an episode is among the perturbed ones of a dataset, of which there are so many, 0 to 1.

    A larger share perturbs the same episodes and others.
    """
    return bool(axis_rng(MIX, seed).uniform() < share)


@dataclass(frozen=True, kw_only=True)
class Clean:
    """What a perturbation changes: an environment without perturbations.

    Attributes:
        scene: The simulation, in its default state.
        task: What is to be done in it.
        spec: Description of the environment.
        idle: The action that moves nothing, in the current state.
    """

    scene: Scene
    task: Task
    spec: EnvSpec
    idle: Callable[[], Float32Array]


class Perturbation:
    """One axis at one level. It overrides `draw` and the methods for what it changes; the others change nothing.

    In `draw`, values are a draw that does not depend on the level, scaled by `strength`: a higher level moves the same
    episode further in the same direction.

    Attributes:
        strengths: For each level, 1 to 5, the numbers that scale the draw.
        level: The level.
        strength: Its numbers; of the level "libero_plus" those that `draw` chooses, if any.
        model_fields: Fields of the model that `change_model` writes; they are restored before each episode.
        sets_constants: Whether MuJoCo has to derive constants from them, such as inverse weights of masses, or bounding
            boxes from places of geoms.
        reads_initial_state: Whether `draw` reads the scene, which is in the initial state of the clean episode then.
    """

    strengths: ClassVar[tuple[tuple[float, ...], ...]]
    model_fields: tuple[str, ...] = ()
    sets_constants: bool = False
    reads_initial_state: ClassVar[bool] = False

    def __init__(self, clean: Clean, level: Level) -> None:
        self.clean, self.level = clean, level
        self.strength = self.strengths[level - 1] if isinstance(level, int) else ()
        self.check()

    @staticmethod
    def extend(spec: mujoco.MjSpec) -> None:
        """Add to the model of a scene what the axis needs, without changing clean episodes or the size of states."""

    def check(self) -> None:
        """Raise a PerturbationError if the environment has nothing that this axis changes."""

    def cameras(self) -> frozenset[str] | None:
        """Cameras whose images are all that this axis changes; None if it changes something else."""
        return None

    def is_noticed(self, cameras: Set[str]) -> bool:
        """Whether it changes anything but images of other cameras than these."""
        changed = self.cameras()
        return changed is None or bool(changed & cameras)

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Draw the values of an episode, keep them, and return them for its row."""
        return {}

    def change_model(self, model: mujoco.MjModel) -> None:
        """Write the drawn values into a model that has the values of the clean episode in `model_fields`."""

    def change_initial_state(self, scene: Scene) -> Drawn:
        """Change the initial state of the clean episode, before any settling steps; returns more values for its row."""
        return {}

    def change_action(self, action: Float32Array, step: int) -> Float32Array:
        """The action (A,) that is executed at a step in place of the agent's."""
        return action

    def step_shown(self, step: int) -> int:
        """The step whose images the agent gets at a step, at most this one."""
        return step

    def change_instruction(self, instruction: str) -> str:
        """The instruction that the agent gets in place of the clean one."""
        return instruction

    def change_image(self, image: ImageArray, camera: str, step: int) -> ImageArray:
        """The image (H, W, 3) that a camera took at a step, as the agent gets it in place of the rendered one."""
        return image
