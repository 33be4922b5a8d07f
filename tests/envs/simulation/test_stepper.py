"""Physics steps: shorter ones while an object falls, and otherwise those of MuJoCo."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.robot import FALLING_TIMESTEP, Physics
from ambidex.envs.simulation.stepper import FALLING_SPEED, Stepper
from ambidex.errors import UsageError

SHORT = Physics(timestep=0.0025, falling_timestep=0.000625)
PLAIN = Physics(timestep=0.0025)


def box_over_a_plane(physics: Physics, height: float) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """A box of 4 cm whose lower face is `height` [m] above a plane."""
    spec = mujoco.MjSpec.from_string(f"""<mujoco><worldbody>
        <geom type="plane" size="1 1 .1" solref="0.006 1"/>
        <body pos="0 0 {0.02 + height}"><freejoint/><geom type="box" size=".02 .02 .02" solref="0.006 1"/></body>
        </worldbody></mujoco>""")
    physics.apply(spec)
    model = spec.compile()
    return model, mujoco.MjData(model)


def deepest_contact(physics: Physics, height: float) -> float:
    """Largest depth after any step of a fall from a height [m]."""
    model, data = box_over_a_plane(physics, height)
    stepper, deepest = Stepper(model, data), 0.0
    for _ in range(200):
        stepper.step()
        mujoco.mj_fwdPosition(model, data)
        deepest = max(deepest, -data.contact.dist.min(initial=0.0))
    assert deepest > 0.0
    return deepest


def test_falls_end_in_shallower_contact_with_short_steps() -> None:
    short, plain = (
        max(deepest_contact(physics, h) for h in np.arange(0.03, 0.15, 0.005)) for physics in (SHORT, PLAIN)
    )
    assert short < 0.4 * plain


@pytest.mark.parametrize("falling", [0.001, 0.005])
def test_short_steps_are_whole_parts_of_a_step(falling: float) -> None:
    with pytest.raises(UsageError):
        Physics(timestep=0.0025, falling_timestep=falling)


def test_time_passes_as_without_short_steps() -> None:
    times = {}
    for physics in (SHORT, PLAIN):
        model, data = box_over_a_plane(physics, 0.08)
        Stepper(model, data).step(100)
        times[physics] = data.time
    assert times[SHORT] == pytest.approx(times[PLAIN], abs=1e-9) == pytest.approx(0.25)


def test_what_does_not_fall_is_stepped_as_by_mujoco() -> None:
    model, data = box_over_a_plane(SHORT, 0.0)
    _, expected = box_over_a_plane(SHORT, 0.0)
    data.qvel[:3] = expected.qvel[:3] = [0.5, 0.1, -0.9 * FALLING_SPEED]
    Stepper(model, data).step(100)
    mujoco.mj_step(model, expected, 100)
    assert np.array_equal(data.qpos, expected.qpos)


def test_begin_and_finish_are_one_step_also_while_an_object_falls() -> None:
    whole, halves = box_over_a_plane(SHORT, 0.02), box_over_a_plane(SHORT, 0.02)
    step, split = Stepper(*whole), Stepper(*halves)
    for _ in range(60):
        step.step()
        split.begin()
        split.finish()
        assert np.array_equal(whole[1].qpos, halves[1].qpos)


def test_models_of_libero_declare_it_and_those_of_aloha_do_not() -> None:
    for task, declared in (("libero_object/0", True), ("insertion", False)):
        with make(task, cameras=()) as env:
            names = [env.scene.model.numeric(i).name for i in range(env.scene.model.nnumeric)]
            assert (FALLING_TIMESTEP in names) == declared


def test_a_state_stored_during_a_fall_continues_bit_for_bit() -> None:
    with make("libero_object/0", cameras=()) as env, make("libero_object/0", cameras=()) as other:
        env.reset(0)
        name = env.spec.object_names[0]
        env.scene.data.joint(int(env.scene.model.body(name).jntadr[0])).qpos[2] += 0.2
        env.scene.refresh()
        action = np.zeros(len(env.spec.action_names), np.float32)
        lowest = 0.0
        for _ in range(8):
            step = env.step(action)
            lowest = min(lowest, float(env.scene.body_velocity(name)[0][2]))
            other.restore(step.observation.state)
            assert np.array_equal(env.step(action).observation.state, other.step(action).observation.state)
        assert lowest < -2 * FALLING_SPEED
