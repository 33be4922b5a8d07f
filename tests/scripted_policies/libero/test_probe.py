"""The probe answers as MuJoCo does when it looks at everything, and leaves the world alone."""

import itertools

import mujoco
import numpy as np
import pytest
from bowl_and_plate import PLACE, THING, probe_of, started

from ambidex.envs.env import Environment
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead.collision import PENETRATION, Probe


@pytest.fixture(scope="module")
def env() -> Environment:
    return started()


@pytest.fixture
def probe(env: Environment) -> Probe:
    return probe_of(env)


def _contacts(env: Environment, qpos: FloatArray) -> list[tuple[str, str, float]]:
    """Roots of the bodies in contact, and distances [m], with all of the model's own masks."""
    model, data = env.scene.model, mujoco.MjData(env.scene.model)
    mujoco.mj_copyData(data, model, env.scene.data)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)
    roots = model.body_rootid[model.geom_bodyid[data.contact.geom]]
    names = [(model.body(a).name, model.body(b).name) for a, b in roots]
    return [(a, b, float(distance)) for (a, b), distance in zip(names, data.contact.dist, strict=True)]


def _there(env: Environment, thing: str, pose: Pose) -> FloatArray:
    """Positions of everything with a thing at a pose."""
    qpos = env.scene.data.qpos.copy()
    address = int(env.scene.model.joint(free_joint(thing)).qposadr[0])
    qpos[address : address + 7] = [*pose.position, *pose.quaternion]
    return np.asarray(qpos)


def _arm_at(env: Environment, joints: FloatArray) -> FloatArray:
    qpos = env.scene.data.qpos.copy()
    (arm,) = env.scene.robot.arms
    qpos[[int(env.scene.model.joint(name).qposadr[0]) for name in arm.joints]] = joints
    return np.asarray(qpos)


def test_what_a_thing_touches_is_what_mujoco_finds(env: Environment, probe: Probe) -> None:
    around = env.scene.body_pose(f"{PLACE}_main")
    answers = []
    for offset in itertools.product((-0.1, 0.0, 0.1), (-0.1, 0.0, 0.1), (-0.02, 0.01, 0.04)):
        pose = around.shifted(offset)
        found = _contacts(env, _there(env, THING, pose))
        expected = any(f"{THING}_main" in (a, b) and "robot0" not in a + b and distance < 0 for a, b, distance in found)
        answers.append(probe.touches(THING, pose))
        assert answers[-1] == expected, offset
    assert len(set(answers)) == 2


def test_what_the_arm_hits_is_what_mujoco_finds(env: Environment, probe: Probe) -> None:
    rng = np.random.default_rng(0)
    (arm,) = env.scene.robot.arms
    gap = 2 * abs(float(env.scene.data.joint(arm.gripper.joint).qpos[0]))
    answers = []
    for _ in range(60):
        joints = np.array(arm.home) + rng.normal(0.0, 0.5, 7)
        found = _contacts(env, _arm_at(env, joints))
        robots = [(a.startswith(("robot0", "mount0")), b.startswith(("robot0", "mount0")), d) for a, b, d in found]
        answers.append(probe.collides(joints, gap, cautious=False))
        assert answers[-1] == any(a != b and distance < -PENETRATION for a, b, distance in robots)
    assert len(set(answers)) == 2


def test_the_world_stays_as_it_is(env: Environment, probe: Probe) -> None:
    before, masks = env.scene.state(), env.scene.model.geom_contype.copy()
    probe.place(THING, Pose.at((0.0, 0.0, 1.0)))
    (arm,) = env.scene.robot.arms
    probe.collides(np.array(arm.home), 0.04, carried=THING)
    probe.touches(THING, Pose.at((0.0, 0.0, 1.0)))
    assert np.array_equal(env.scene.state(), before)
    assert np.array_equal(env.scene.model.geom_contype, masks)


def test_renewed_it_counts_from_nought(env: Environment, probe: Probe) -> None:
    renewals = probe.renewals
    probe.touches(THING, Pose.at((0.0, 0.0, 1.0)))
    assert probe.queries == 1
    probe.renew()
    assert (probe.renewals, probe.queries) == (renewals + 1, 0)
