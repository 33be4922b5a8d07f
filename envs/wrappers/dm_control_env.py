"""The environment as a `dm_env.Environment`, which `dm_control.viewer` can display and run."""

from collections.abc import Mapping
from typing import Unpack

import dm_env
import mujoco
import numpy as np
from dm_control.mujoco import Physics
from dm_control.mujoco.wrapper import MjData, MjModel
from dm_control.mujoco.wrapper.mjbindings import sizes
from dm_env import specs

from ambidex.envs.env import make
from ambidex.envs.types import Float32Array, ImageArray, MakeOptions, Observation, Step

Arrays = dict[str, Float32Array | ImageArray]


class DmControlEnvironment(dm_env.Environment):  # type: ignore[misc]  # dm_env carries no types
    """One task as a dm_env environment.

    The reward is the current stage. An episode ends at success (discount 0) or at the task's horizon (discount 1). Each
    reset starts the next seed, so episode k is (task, first_seed + k).

    Observations: "agent_pos" and "agent_vel" (J,), "environment_state" (7 * objects,), and one (H, W, 3) uint8 image
    under each camera's name.

    Attributes:
        physics: dm_control's interface to the simulation; shares the environment's model and data.
        seed: Seed of the current episode.
    """

    def __init__(self, task: str, *, first_seed: int = 0, **options: Unpack[MakeOptions]) -> None:
        """Make the environment; the options are those of `ambidex.make`, with no cameras by default."""
        options.setdefault("cameras", ())
        self._env = make(task, **options)
        self.physics = Physics(_Data(self._env.scene.data))
        self.seed = first_seed - 1
        self._running = False

    def reset(self) -> dm_env.TimeStep:
        """Start the episode of the next seed."""
        self.seed += 1
        self._running = True
        return dm_env.restart(_arrays(self._env.reset(self.seed)))

    def step(self, action: Float32Array) -> dm_env.TimeStep:
        """Act for one control step, or start the next episode if the last one has ended."""
        if not self._running:
            return self.reset()
        step = self._env.step(np.asarray(action, np.float32))
        self._running = not (step.success or step.truncated)
        return _time_step(step)

    def action_spec(self) -> specs.BoundedArray:
        controller = self._env.controller
        names = "\t".join(controller.action_names)  # dm_control separates names by tabs
        return specs.BoundedArray(controller.low.shape, np.float32, controller.low, controller.high, name=names)

    def observation_spec(self) -> Mapping[str, specs.Array]:
        spec = self._env.spec
        joints, image = len(spec.joint_names), (*spec.image_size, 3)
        return {
            "agent_pos": specs.Array((joints,), np.float32, name="agent_pos"),
            "agent_vel": specs.Array((joints,), np.float32, name="agent_vel"),
            "environment_state": specs.Array((7 * len(spec.object_names),), np.float32, name="environment_state"),
            **{camera: specs.BoundedArray(image, np.uint8, 0, 255, name=camera) for camera in spec.cameras},
        }

    def control_timestep(self) -> float:
        """Time between two actions [s]."""
        return 1.0 / self._env.spec.control_hz

    def close(self) -> None:
        """Free the OpenGL contexts. Safe to call twice."""
        self._env.close()
        self.physics.free()


class _Model(MjModel):  # type: ignore[misc]  # dm_control carries no types
    """A model in which fields that this version of MuJoCo lacks are None.

    dm_control 1.0.50 lists fields that MuJoCo 4 renamed, and its named indexing fails on them.
    """

    def __getattr__(self, name: str) -> None:
        _none_if_listed(self, "mjmodel", name)


class _Data(MjData):  # type: ignore[misc]
    """Likewise for data. Wraps the environment's own MjData without a copy."""

    # Otherwise dm_control's metaclass would replace these by the attributes of mujoco.MjData.
    model, contact = MjData.model, MjData.contact

    def __init__(self, data: mujoco.MjData) -> None:
        super().__init__(data)
        self._model = _Model(data.model)

    def __getattr__(self, name: str) -> None:
        _none_if_listed(self, "mjdata", name)


def _none_if_listed(owner: object, struct: str, name: str) -> None:
    if name not in sizes.array_sizes[struct]:
        raise AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}")


def _arrays(observation: Observation) -> Arrays:
    vectors = {"agent_pos": observation.qpos, "agent_vel": observation.qvel, "environment_state": observation.objects}
    return {**{name: vector.astype(np.float32) for name, vector in vectors.items()}, **observation.images()}


def _time_step(step: Step) -> dm_env.TimeStep:
    reward, observation = float(step.stage), _arrays(step.observation)
    if step.success:
        return dm_env.termination(reward, observation)
    if step.truncated:
        return dm_env.truncation(reward, observation)
    return dm_env.transition(reward, observation)
