"""Steps of the physics, which are shorter while an object falls."""

import copy

import mujoco
import numpy as np

from ambidex.envs.robot import FALLING_TIMESTEP

FALLING_SPEED = 0.3  # downwards, of a free body [m/s]; robots lower objects more slowly


class Stepper:
    """Advances a model's state by steps of its time step.

    In one step an object that falls by 10 cm moves by 3.5 mm before its contact is noticed, and contacts cannot be
    stiffer than the time step allows. While any free body moves down faster than `FALLING_SPEED`, a step therefore
    consists of several short ones if the model says so (`Physics.falling_timestep`), in which all contacts are as stiff
    as these allow: their time constant is two of them. This depends on the state alone, so that a stored state
    continues bit for bit. Models without falling objects are stepped as by `mujoco.mj_step`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._velocities = data.qvel  # a view: asking `data` for it takes longer than the rest of `_is_falling`
        free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE.value
        self._vertical = model.jnt_dofadr[free] + 2
        self._parts = _parts(model) if free.any() else 1
        self._falling_model = _with_short_steps(model, self._parts) if self._parts > 1 else model
        self._falls = False

    @property
    def models(self) -> tuple[mujoco.MjModel, ...]:
        """The model, and that of the short steps if it is another one."""
        return (self._model,) if self._falling_model is self._model else (self._model, self._falling_model)

    def begin(self) -> None:
        """Compute everything that depends on positions and velocities: the first half of a step."""
        self._falls = self._is_falling()
        mujoco.mj_step1(self._falling_model if self._falls else self._model, self._data)

    def finish(self) -> None:
        """Finish the step that `begin` has begun, under the current controls."""
        mujoco.mj_step2(self._falling_model if self._falls else self._model, self._data)
        if self._falls:
            mujoco.mj_step(self._falling_model, self._data, self._parts - 1)

    def step(self, steps: int = 1) -> None:
        """Make whole steps under the current controls."""
        if self._parts == 1:
            if steps:
                mujoco.mj_step(self._model, self._data, steps)
            return
        for _ in range(steps):
            if self._is_falling():
                mujoco.mj_step(self._falling_model, self._data, self._parts)
            else:
                mujoco.mj_step(self._model, self._data)

    def _is_falling(self) -> bool:
        # Asked before every step, so it must be fast: comparing a list takes 1 us, an array 5.
        return self._parts > 1 and min(self._velocities[self._vertical].tolist()) < -FALLING_SPEED


def _parts(model: mujoco.MjModel) -> int:
    """Short steps in one step of a model while an object falls."""
    field = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_NUMERIC.value, FALLING_TIMESTEP)
    return 1 if field < 0 else round(model.opt.timestep / model.numeric_data[model.numeric_adr[field]])


def _with_short_steps(model: mujoco.MjModel, parts: int) -> mujoco.MjModel:
    copied = copy.copy(model)
    copied.opt.timestep /= parts
    copied.geom_solref[:, 0] = np.minimum(copied.geom_solref[:, 0], 2.0 * copied.opt.timestep)
    return copied
