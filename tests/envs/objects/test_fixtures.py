"""Fixtures as models: names and limits as given, cheap, and quiet when left alone."""

import mujoco
import numpy as np
import pytest
from fixture_scene import FIXTURE, PLACES, FixtureScene

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.objects.registry import object_spec

COLLISION, VISUAL, REGION = 3, 2, 4
MAX_TRIANGLES = 450
MOST_SHAPES = {"wooden_cabinet": 22, "white_cabinet": 22, "desk_caddy": 13}
ROUNDING = 0.0021  # feet and skins may stick out [m]
FEET = 0.021  # how far feet reach below LIBERO's box [m]


@pytest.fixture(scope="module", params=PLACES)
def category(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(category: str) -> mujoco.MjModel:
    return object_spec(category).compile()


def test_one_top_body_without_a_joint(category: str) -> None:
    (top,) = object_spec(category).worldbody.bodies
    assert top.name == "main"
    assert not top.joints


def test_joints_are_as_given(category: str, model: mujoco.MjModel) -> None:
    given = object_properties(category).joints
    assert [model.joint(i).name for i in range(model.njnt)] == list(given)
    for name, figure in given.items():
        joint = model.joint(name)
        np.testing.assert_allclose(joint.range, (figure.low, figure.high), atol=1e-12)
        np.testing.assert_allclose(joint.axis, figure.axis, atol=1e-12)
        assert float(model.dof_damping[joint.dofadr[0]]) == figure.damping
        anchor = joint.pos + model.body(joint.bodyid[0]).pos
        np.testing.assert_allclose(np.cross(anchor - figure.anchor, figure.axis), 0.0, atol=1e-12)


def test_sites_are_as_given(category: str, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for name, figure in object_properties(category).sites.items():
        np.testing.assert_allclose(data.site(name).xpos, figure.position, atol=1e-9)
        np.testing.assert_allclose(data.site(name).xmat.reshape(3, 3), np.eye(3), atol=1e-12)
        assert model.body(model.site(name).bodyid[0]).name == figure.body
        assert model.site(name).group == REGION
        if figure.half_size is not None:
            np.testing.assert_allclose(model.site(name).size, figure.half_size, atol=1e-12)


def test_it_fills_its_box_and_no_more(category: str, model: mujoco.MjModel) -> None:
    low, high = bounds(model)
    given = object_properties(category)
    assert (low[:2] > np.subtract(given.low, ROUNDING)[:2]).all()
    assert low[2] > given.low[2] - FEET
    assert (high < np.add(given.high, ROUNDING)).all()
    assert (high - low > 0.85 * given.size).all()


def bounds(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    corners = []
    for geom in np.flatnonzero(model.geom_group == VISUAL):
        mesh = model.mesh(int(model.geom_dataid[geom]))
        vertices = model.mesh_vert[mesh.vertadr[0] : mesh.vertadr[0] + mesh.vertnum[0]]
        corners.append(vertices @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom])
    points = np.concatenate(corners)
    return points.min(axis=0), points.max(axis=0)


def test_few_triangles_and_few_shapes_to_collide(category: str, model: mujoco.MjModel) -> None:
    assert int(model.mesh_facenum.sum()) <= MAX_TRIANGLES
    assert int((model.geom_group == COLLISION).sum()) <= MOST_SHAPES.get(category, 7)


def test_looks_touch_and_weigh_nothing(category: str) -> None:
    looks = [geom for geom in object_spec(category).geoms if geom.group == VISUAL]
    assert looks
    assert all(geom.contype == 0 and geom.conaffinity == 0 and geom.mass == 0 for geom in looks)


def test_it_is_a_mocap_body_and_nothing_stirs(category: str) -> None:
    scene = FixtureScene(category)
    assert scene.model.nmocap == 1
    before = scene.data.qpos.copy()
    scene.run(2.0)
    assert scene.data.ncon == 0
    np.testing.assert_allclose(scene.data.qpos, before, atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_parts_stay_where_they_are_put(category: str, share: float) -> None:
    scene = FixtureScene(category)
    joints = {name: j.low + share * (j.high - j.low) for name, j in object_properties(category).joints.items()}
    for name, value in joints.items():
        scene.set_joint(name, value)
    scene.run(1.0)
    assert scene.data.ncon == 0
    for name, value in joints.items():
        assert scene.joint(name) == pytest.approx(value, abs=1e-3)


def test_feet_stand_on_the_table_or_in_it(category: str) -> None:
    """Bodies hover as LIBERO's do; what can be seen of them does not."""
    scene = FixtureScene(category)
    low, _ = bounds(object_spec(category).compile())
    foot = scene.data.body(f"{FIXTURE}_main").xpos[2] + low[2]
    assert -0.02 < foot - scene.surface_z < 0.0005
