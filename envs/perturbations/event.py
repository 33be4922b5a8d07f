"""A change during the episode: another axis, from the control step on at which a stage of the task is reached."""

from collections.abc import Set

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import LEVELS, SET_IN, Clean, Drawn, Perturbation
from ambidex.envs.perturbations.registry import AXES, Changes, axes_that_change, make_perturbation
from ambidex.envs.types import Float32Array, ImageArray
from ambidex.errors import PerturbationError

OF_STEPS = axes_that_change(Changes.IMAGES, Changes.LATER_IMAGES, Changes.ACTIONS, Changes.DYNAMICS)
SETTING_IN = OF_STEPS - {"wrist_camera"}
"""Axes that can set in. The initial state is over by then, an obstacle could appear inside of something, and many
policies get neither the instruction nor images of a wrist."""


class Event(Perturbation):
    """One of `SETTING_IN` sets in when the episode first reaches a stage, neither the first nor the last of the task.

    Which axis and stage depends on the seed, not on the level, the policy or the control mode, unless the axis is
    impossible. Until then the episode is the clean one. The axis stays until its end.

    Attributes:
        stage: Index of the stage; a higher one counts as well, as in the row's `stage`.
        first_step: The control step at which the axis has set in; None if it has not.
    """

    strengths = tuple((level,) for level in range(1, LEVELS + 1))  # level of the axis

    def __init__(self, clean: Clean, level: int) -> None:
        self._possible = _possible(clean, level)
        axes = self._possible.values()
        self.model_fields = tuple({field for axis in axes for field in axis.model_fields})
        self.sets_constants = any(axis.sets_constants for axis in axes)
        self.first_step: int | None = None
        super().__init__(clean, level)

    def check(self) -> None:
        spec = self.clean.spec
        if len(spec.stages) < 3:
            problem = f"Perturbation event: {spec.task} has no stage between the first and the last one."
            raise PerturbationError(problem, "Leave the axis out.", task=spec.task, got=spec.stages)

    def is_noticed(self, cameras: Set[str]) -> bool:
        return all(axis.is_noticed(cameras) for axis in self._possible.values())

    def has_set_in(self, step: int) -> bool:
        """Whether the axis is in effect at a control step."""
        return self.first_step is not None and self.first_step <= step

    def draw(self, rng: np.random.Generator) -> Drawn:
        order = rng.permutation(sorted(SETTING_IN)).tolist()
        name = next(axis for axis in order if axis in self._possible)
        stages = self.clean.spec.stages
        self.stage = 1 + int(rng.uniform() * (len(stages) - 2))
        self._axis = self._possible[name]
        self.sets_constants = self._axis.sets_constants
        return {"axis": name, "stage": stages[self.stage], SET_IN: "", **self._axis.draw(rng)}

    def change_model(self, model: mujoco.MjModel) -> None:
        self._axis.change_model(model)

    def change_action(self, action: Float32Array, step: int) -> Float32Array:
        return self._axis.change_action(action, step - (self.first_step or 0))

    def step_shown(self, step: int) -> int:
        # The last image before the event has been seen, so none before that one is shown again.
        return min(step, max(0, (self.first_step or 0) - 1, self._axis.step_shown(step)))

    def change_image(self, image: ImageArray, camera: str, step: int) -> ImageArray:
        return self._axis.change_image(image, camera, step)


def _possible(clean: Clean, level: int) -> dict[str, Perturbation]:
    """Those of `SETTING_IN` that the environment has something for, in the order of `AXES`."""
    found = {}
    for axis in filter(SETTING_IN.__contains__, AXES):
        try:
            found[axis] = make_perturbation(axis, level, clean)
        except PerturbationError:  # for example object_colour, where the instruction names all colours
            continue
    return found
