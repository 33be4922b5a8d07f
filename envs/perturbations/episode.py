"""All perturbations of an environment, drawn anew for each episode."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import mujoco
import numpy as np

from ambidex.envs.perturbations.event import Event
from ambidex.envs.perturbations.perturbation import SET_IN, Clean, Drawn, Perturbation, axis_rng
from ambidex.envs.perturbations.registry import EVENT, make_perturbation, parse_axes
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray, ImageArray

DERIVED = (
    *("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0", "tendon_length0", "tendon_invweight0"),
    *("actuator_acc0", "actuator_length0", "actuator_lengthrange", "cam_pos0", "cam_mat0", "cam_poscom0"),
    *("light_pos0", "light_dir0", "light_poscom0", "bvh_aabb", "geom_sameframe"),
)
"""Fields of a model that `mujoco.mj_setConst` computes."""


class Perturbations:
    """The perturbations of an environment; without any, and before the first episode, nothing here has an effect.

    Args:
        words: Axes with levels, as in "camera:3".
        clean: The environment without them.

    Attributes:
        drawn: Axis -> level and the values of the current episode.
        seed: Seed of the current episode; None if nothing is perturbed.
        step: The control step whose perturbations the model of the scene has.
        read_initial_state: Whether `begin` reads the initial state of the clean episode from the scene.
        change_actions: Whether what a step does depends on the steps before.
        change_textures: Whether textures of the model change.
        change_instruction: The axes that change the instruction.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level other than 0 to 5, an axis twice, or one that has nothing to change in this environment.
    """

    def __init__(self, words: Sequence[str], clean: Clean) -> None:
        self._axes = {axis: make_perturbation(axis, level, clean) for axis, level in parse_axes(words).items() if level}
        self._active: Sequence[Perturbation] = ()
        self._event = next((axis for axis in self._axes.values() if isinstance(axis, Event)), None)
        self._scene = clean.scene
        names = {name for axis in self._axes.values() for name in axis.model_fields}
        set_constants = any(axis.sets_constants for axis in self._axes.values())
        self._fields = sorted(names | set(DERIVED if set_constants else ()))
        if self._axes:
            _ = clean.scene.model_sha256  # of the clean model: computed before anything is changed
        self._clean_model = copy.copy(clean.scene.model) if self._fields else None
        self.drawn: Mapping[str, Drawn] = {}
        self.seed: int | None = None
        self.step = 0
        self.read_initial_state = any(axis.reads_initial_state for axis in self._axes.values())
        self.change_actions = bool(self._overriding("change_action"))
        self.change_textures = "tex_data" in self._fields
        self.change_instruction = self._overriding("change_instruction")

    def without_effect(self, cameras: Sequence[str], *, instruction: bool) -> list[str]:
        """Axes that change nothing which a policy with these cameras, and with or without the instruction, gets.

        Those of which this holds in some episodes are among them.
        """
        unseen = {name for name, axis in self._axes.items() if not axis.is_noticed(set(cameras))}
        return [name for name in self._axes if name in unseen or (name in self.change_instruction and not instruction)]

    def begin(self, seed: int, look: int = 0, event_step: int | None = None) -> None:
        """Draw the values of an episode, and change the model of the scene to that of its first step.

        Args:
            seed: Seed of the episode.
            look: Looks differ in images only.
            event_step: The control step at which its event set in, 0 also if that was earlier; None if it has not yet.
        """
        self.drawn = {
            name: {"level": axis.level, **axis.draw(_rng(name, axis, seed, look))} for name, axis in self._axes.items()
        }
        self._active, self.seed = tuple(self._axes.values()), seed if self._axes else None
        self._note_event(event_step, 0)
        self._change_scene()

    def restart(self, event_step: int | None = None) -> None:
        """Go back to the first step of the current episode; arguments are as in `begin`."""
        before = self.has_set_in(self.step)
        self._note_event(event_step, 0)
        if self.has_set_in(0) != before:
            self._change_scene()

    def reach(self, stage: int, step: int) -> None:
        """Let the event of the episode set in, if it waits for this stage, which is reached at this step."""
        event = self._event
        if self.seed is not None and event is not None and event.first_step is None and stage >= event.stage:
            self._note_event(step, step)
            self._change_scene()

    def has_set_in(self, step: int) -> bool:
        """Whether the event of the episode has an effect at a step."""
        return self.seed is not None and self._event is not None and self._event.has_set_in(step)

    def clear(self) -> None:
        """Have no effect until the next episode begins."""
        self.drawn, self._active, self.seed = {}, (), None
        self._change_scene()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Within this context the model of the scene is that of clean episodes."""
        active, self._active = self._active, ()
        self._change_scene()
        try:
            yield
        finally:
            self._active = active
            self._change_scene()

    def change_model(self, model: mujoco.MjModel, step: int) -> None:
        """Bring a model of this scene from any episode and step to a step of the current one."""
        if self._clean_model is None:
            return
        for field in self._fields:
            _write(model, field, _read(self._clean_model, field))
        for axis in self._active_at(step):
            axis.change_model(model)

    def change_initial_state(self, scene: Scene) -> None:
        """Change the initial state of the clean episode."""
        for name, axis in self._axes.items():
            more = axis.change_initial_state(scene)
            self.drawn = {**self.drawn, name: {**self.drawn[name], **more}}

    def change_action(self, action: Float32Array, step: int) -> Float32Array:
        """The action (A,) that is executed in place of the agent's."""
        for axis in self._active_at(step):
            action = axis.change_action(action, step)
        return action

    def instruction(self, clean: str) -> str:
        """The instruction that the agent gets in place of the clean one."""
        for axis in self._active:
            clean = axis.change_instruction(clean)
        return clean

    def image(self, render: Callable[[int], ImageArray], camera: str, step: int) -> ImageArray:
        """The image that the agent gets at a step; `render` makes that of this or an earlier one."""
        shown = step
        for axis in self._active_at(step):
            shown = axis.step_shown(shown)
        image = render(shown)
        for axis in self._active_at(shown):
            image = axis.change_image(image, camera, shown)
        return image

    def _overriding(self, method: str) -> tuple[str, ...]:
        """The axes with a method of their own."""
        inherited = getattr(Perturbation, method)
        return tuple(name for name, axis in self._axes.items() if getattr(type(axis), method) is not inherited)

    def _active_at(self, step: int) -> list[Perturbation]:
        waiting = None if self.has_set_in(step) else self._event
        return [axis for axis in self._active if axis is not waiting]

    def _note_event(self, first_step: int | None, step: int) -> None:
        """Note since which step the event has an effect, None for not yet, and the step of the scene."""
        self.step = step
        if self._event is not None and self.seed is not None:
            self._event.first_step = first_step
            noted: Drawn = {SET_IN: "" if first_step is None else first_step}
            self.drawn = {**self.drawn, EVENT: {**self.drawn[EVENT], **noted}}

    def _change_scene(self) -> None:
        if self._clean_model is None:
            return
        set_constants = any(axis.sets_constants for axis in self._active_at(self.step))
        for model in self._scene.models:
            self.change_model(model, self.step)
            if set_constants:
                mujoco.mj_setConst(model, mujoco.MjData(model))
        self._scene.refresh()


def _rng(name: str, axis: Perturbation, seed: int, look: int) -> np.random.Generator:
    """The generator of an axis in a look of an episode; look 0 is the episode itself."""
    return axis_rng(name, seed, look) if look and axis.cameras() is not None else axis_rng(name, seed)


def _read(model: mujoco.MjModel, field: str) -> FloatArray:
    owner, _, name = field.rpartition(".")
    return np.asarray(getattr(_owner(model, owner), name))


def _write(model: mujoco.MjModel, field: str, values: FloatArray) -> None:
    owner, _, name = field.rpartition(".")
    getattr(_owner(model, owner), name)[:] = values


def _owner(model: mujoco.MjModel, path: str) -> object:
    """The part of a model with a field such as "vis.headlight.diffuse"."""
    owner: object = model
    for name in filter(None, path.split(".")):
        owner = getattr(owner, name)
    return owner
