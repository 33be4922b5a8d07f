"""The collision checker agrees with MuJoCo's own collision detection, and does not change the scene."""

import itertools

import mujoco
import numpy as np
import pytest

from ambidex.envs.env import Environment
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.lookahead.collision import PENETRATION, CollisionChecker, CollisionFilter

OBJECT, SUPPORT = "akita_black_bowl_1", "plate_1"
IN_THE_AIR = Pose.at((0.0, 0.0, 1.0))
BALLS = """<mujoco><worldbody>
<body name="one"><freejoint/><geom name="ball" size="0.1" contype="{contype}" conaffinity="{conaffinity}"/></body>
<body name="other" pos="0.1 0 0"><freejoint/><geom size="0.1" contype="1" conaffinity="0"/></body>
<body name="third" pos="0.1 0 0"><freejoint/><geom size="0.1" contype="1" conaffinity="128"/></body>
</worldbody></mujoco>"""
FIRST, OTHERS = np.array([True, False, False]), np.array([False, True, True])


def contacts(env: Environment, qpos: FloatArray) -> list[tuple[str, str, float]]:
    """Root bodies in contact, and distances [m], with the original masks of the model."""
    model, data = env.scene.model, mujoco.MjData(env.scene.model)
    mujoco.mj_copyData(data, model, env.scene.data)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)
    roots = model.body_rootid[model.geom_bodyid[data.contact.geom]]
    names = [(model.body(a).name, model.body(b).name) for a, b in roots]
    return [(a, b, float(distance)) for (a, b), distance in zip(names, data.contact.dist, strict=True)]


def qpos_with_object(env: Environment, obj: str, pose: Pose) -> FloatArray:
    qpos = env.scene.data.qpos.copy()
    address = int(env.scene.model.joint(free_joint_name(obj)).qposadr[0])
    qpos[address : address + 7] = [*pose.position, *pose.quaternion]
    return np.asarray(qpos)


def qpos_with_arm(env: Environment, joints: FloatArray) -> FloatArray:
    qpos = env.scene.data.qpos.copy()
    (arm,) = env.scene.robot.arms
    qpos[[int(env.scene.model.joint(name).qposadr[0]) for name in arm.joints]] = joints
    return np.asarray(qpos)


def test_object_collisions_agree_with_mujoco(env: Environment, checker: CollisionChecker) -> None:
    around = env.scene.body_pose(f"{SUPPORT}_main")
    answers = []
    for offset in itertools.product((-0.1, 0.0, 0.1), (-0.1, 0.0, 0.1), (-0.02, 0.01, 0.04)):
        pose = around.shifted(offset)
        found = contacts(env, qpos_with_object(env, OBJECT, pose))
        expected = any(
            f"{OBJECT}_main" in (a, b) and "robot0" not in a + b and distance < 0 for a, b, distance in found
        )
        answers.append(checker.object_collides(OBJECT, pose))
        assert answers[-1] == expected, offset
    assert len(set(answers)) == 2


def test_arm_collisions_agree_with_mujoco(env: Environment, checker: CollisionChecker) -> None:
    rng = np.random.default_rng(0)
    (arm,) = env.scene.robot.arms
    gap = 2 * abs(float(env.scene.data.joint(arm.gripper.joint).qpos[0]))
    answers = []
    for _ in range(60):
        joints = np.array(arm.home) + rng.normal(0.0, 0.5, 7)
        found = contacts(env, qpos_with_arm(env, joints))
        robots = [(a.startswith(("robot0", "mount0")), b.startswith(("robot0", "mount0")), d) for a, b, d in found]
        answers.append(checker.arm_collides(joints, gap, cautious=False))
        assert answers[-1] == any(a != b and distance < -PENETRATION for a, b, distance in robots)
    assert len(set(answers)) == 2


def test_queries_do_not_change_the_scene(env: Environment, checker: CollisionChecker) -> None:
    before, masks = env.scene.state(), env.scene.model.geom_contype.copy()
    checker.place(OBJECT, IN_THE_AIR)
    (arm,) = env.scene.robot.arms
    checker.arm_collides(np.array(arm.home), 0.04, carried=OBJECT)
    checker.object_collides(OBJECT, IN_THE_AIR)
    assert np.array_equal(env.scene.state(), before)
    assert np.array_equal(env.scene.model.geom_contype, masks)


def test_sync_resets_the_query_count_and_empties_caches(checker: CollisionChecker) -> None:
    cache = checker.new_cache()
    cache["key"] = "value"
    checker.object_collides(OBJECT, IN_THE_AIR)
    assert checker.queries == 1
    checker.sync()
    assert checker.queries == 0
    assert not cache


def model_of(contype: int, conaffinity: int) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(BALLS.format(contype=contype, conaffinity=conaffinity))


@pytest.mark.parametrize(("contype", "conaffinity", "expected"), [(0, 1, {1, 2}), (128, 0, {2}), (127, 254, set())])
def test_filtered_pairs_collide_as_in_the_original_model(contype: int, conaffinity: int, expected: set[int]) -> None:
    model = model_of(contype, conaffinity)
    CollisionFilter(model, FIRST, OTHERS).apply(model)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)
    assert set(data.contact.geom.ravel()) - {0} == expected


@pytest.mark.parametrize(("contype", "conaffinity"), [(256, 1), (1, 256), (-1, 0)])
def test_masks_out_of_range_raise_with_the_name_of_the_geom(contype: int, conaffinity: int) -> None:
    with pytest.raises(UsageError) as error:
        CollisionFilter(model_of(contype, conaffinity), FIRST, OTHERS)
    assert error.value.facts == {"geom": "ball", "contype": contype, "conaffinity": conaffinity}
    assert "of body one" in error.value.problem
