"""The dynamics "act" of the bimanual ViperX, against the published figures of the ACT simulation."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Float32Array, FloatArray, RolloutResult
from ambidex.errors import UnknownNameError
from ambidex.scripted_policies.registry import make_expert

PUBLISHED = {  # joint: friction loss, gain, force limit (0 for none)
    "waist": (50, 800, 150),
    "shoulder": (60, 1600, 300),
    "elbow": (60, 800, 100),
    "forearm_roll": (30, 10, 100),
    "wrist_angle": (30, 50, 0),
    "wrist_rotate": (30, 20, 0),
    "left_finger": (30, 200, 0),
    "right_finger": (30, 200, 0),
}
NAMES = [f"vx300s_{side}/{joint}" for side in ("left", "right") for joint in PUBLISHED]
CLOSED, SPAN = 0.01844, 0.03956  # of a finger [m]


def act_simulation(env: Environment) -> mujoco.MjModel:
    """Our model with friction, gains, separate fingers and solver options of the ACT simulation."""
    spec = env.task.compose(env.scene.robot)
    spec.option.integrator, spec.option.cone = mujoco.mjtIntegrator.mjINT_EULER, mujoco.mjtCone.mjCONE_PYRAMIDAL
    spec.option.impratio = 1.0
    for element in [*spec.equalities, *spec.actuators]:
        spec.delete(element)
    for name in NAMES:
        friction, gain, limit = PUBLISHED[name.partition("/")[2]]
        joint, actuator = spec.joint(name), spec.add_actuator(name=name, target=name)
        joint.damping, joint.armature, joint.frictionloss, joint.actfrclimited = [0] * 3, 0, friction, False
        actuator.trntype = mujoco.mjtTrn.mjTRN_JOINT
        actuator.set_to_position(kp=gain)
        actuator.ctrllimited, actuator.ctrlrange = True, joint.range
        actuator.forcelimited, actuator.forcerange = bool(limit), [-limit, limit]
    return spec.compile()


def controls(action: Float32Array) -> FloatArray:
    rows = action.reshape(2, 7).astype(np.float64)
    finger = CLOSED + SPAN * rows[:, 6:]
    return np.concatenate([rows[:, :6], finger, -finger], axis=1).ravel()


def initial_qpos(env: Environment, seed: int) -> FloatArray:
    env.reset(seed)
    return env.scene.data.qpos.copy()


def inserts(model: mujoco.MjModel, qpos: FloatArray, result: RolloutResult) -> bool:
    """Whether the peg touches the pin when the recorded joint commands act open loop: the simulation's success."""
    data, sought = mujoco.MjData(model), {model.geom("red_peg").id, model.geom("pin").id}
    data.qpos[:] = qpos
    for action in result.joint_actions:
        data.ctrl[:] = controls(action)
        mujoco.mj_step(model, data, 10)
        if sought in map(set, data.contact.geom.tolist()):
            return True
    return False


@pytest.mark.parametrize(("episodes", "enough"), [(2, 2), pytest.param(10, 8, marks=pytest.mark.slow)])
def test_recordings_of_insertion_succeed_when_replayed_in_the_act_simulation(episodes: int, enough: int) -> None:
    env = make("insertion", cameras=(), dynamics="act")
    model, expert = act_simulation(make("insertion", cameras=())), make_expert(env)
    results = [rollout(env, expert, seed) for seed in range(episodes)]
    assert sum(result.success for result in results) >= enough
    replayed = [inserts(model, initial_qpos(env, result.seed), result) for result in results]
    assert sum(replayed) >= enough


def test_only_the_arms_differ() -> None:
    identified, act = (make("insertion", cameras=(), dynamics=name).scene.model for name in ("identified", "act"))
    for name in NAMES:
        friction = PUBLISHED[name.partition("/")[2]][0]
        dof = act.joint(name).dofadr[0]
        assert (act.dof_frictionloss[dof], act.dof_damping[dof], act.dof_armature[dof]) == (friction, 0.0, 0.0)
    for model in (identified, act):
        model.dof_frictionloss[:16] = model.dof_damping[:16] = model.dof_armature[:16] = 0.0
    for field in ("body_mass", "dof_frictionloss", "dof_damping", "geom_solref", "geom_friction", "actuator_ctrlrange"):
        assert np.array_equal(getattr(identified, field), getattr(act, field)), field


def test_the_name_is_in_the_spec_and_other_robots_refuse_it() -> None:
    assert make("insertion", cameras=(), dynamics="act").spec.dynamics == "act"
    with pytest.raises(UnknownNameError) as caught:
        make("libero_goal/1", cameras=(), dynamics="act")
    assert caught.value.facts["got"] == "act"
