"""Visual geometry of the ALOHA scene: cheap, without effect on the physics, and consistent with it."""

from collections.abc import Iterator
from itertools import product

import mujoco
import numpy as np
import pytest

import ambidex
from ambidex.envs.env import Environment
from ambidex.envs.robots.viperx_bimanual import make_robot
from ambidex.envs.tasks.aloha.insertion import Insertion
from ambidex.envs.types import FloatArray

MAX_TRIANGLES = 6500
MAX_FACE_GAP = 0.0005  # [m]
COLLISION_GROUP = 3  # the renderer hides it
VISUAL_GROUP = 2
CAMERAS = ("top", "angle", "front_close", "left_wrist", "right_wrist")
FINGERS = [(arm, side) for arm in ("left", "right") for side in ("left", "right")]


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return Insertion().compose(make_robot()).compile()


@pytest.fixture(scope="module", params=["standard", "studio"])
def env(request: pytest.FixtureRequest) -> Iterator[Environment]:
    environment = ambidex.make("insertion", cameras=CAMERAS, image_size=(120, 160), render_quality=request.param)
    yield environment
    environment.close()


def triangles(model: mujoco.MjModel, geom: int) -> int:
    """What one geom draws: a mesh its faces; a box six sides, each split into numquads x numquads quads of two."""
    counts = {
        mujoco.mjtGeom.mjGEOM_MESH: int(model.mesh_facenum[model.geom_dataid[geom]]),
        mujoco.mjtGeom.mjGEOM_BOX: 6 * 2 * int(model.vis.quality.numquads) ** 2,
    }
    return counts[mujoco.mjtGeom(model.geom_type[geom])]


def corners(model: mujoco.MjModel, geom: int) -> FloatArray:
    """Vertices of a mesh or box in its body's frame, shape (N, 3) [m]."""
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX:
        local = np.array(list(product((-1.0, 1.0), repeat=3))) * model.geom_size[geom]
    else:
        mesh = model.mesh(int(model.geom_dataid[geom]))
        local = model.mesh_vert[mesh.vertadr[0] : mesh.vertadr[0] + mesh.vertnum[0]].astype(np.float64)
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
    corners: FloatArray = local @ rotation.reshape(3, 3).T + model.geom_pos[geom]
    return corners


def test_the_aloha_scene_has_few_triangles(model: mujoco.MjModel) -> None:
    drawn = np.flatnonzero(model.geom_group != COLLISION_GROUP)
    assert len(drawn) > 100
    assert sum(triangles(model, int(geom)) for geom in drawn) <= MAX_TRIANGLES


def test_visual_geoms_have_no_effect_on_physics() -> None:
    geoms = Insertion().compose(make_robot()).geoms
    visuals = [geom for geom in geoms if geom.group == VISUAL_GROUP]
    assert visuals
    assert all(geom.mass == 0 and geom.contype == 0 and geom.conaffinity == 0 for geom in visuals)
    assert all(geom.contype and geom.conaffinity for geom in geoms if geom.group != VISUAL_GROUP)


@pytest.mark.parametrize(("arm", "side"), FINGERS)
def test_the_visible_finger_ends_at_its_contact_pad(model: mujoco.MjModel, arm: str, side: str) -> None:
    inward = -1.0 if side == "left" else 1.0
    pad = model.geom(f"vx300s_{arm}/10_{side}_gripper_finger")
    pad_corners = corners(model, pad.id)
    touching = float((inward * pad_corners[:, 1]).max())
    visuals = np.flatnonzero((model.geom_bodyid == pad.bodyid[0]) & (model.geom_group == VISUAL_GROUP))
    reach = [float((inward * corners(model, int(geom))[:, 1]).max()) for geom in visuals]
    assert max(reach) == pytest.approx(touching, abs=MAX_FACE_GAP)
    face = corners(model, int(visuals[int(np.argmax(reach))]))
    np.testing.assert_allclose(face[:, [0, 2]].min(axis=0), pad_corners[:, [0, 2]].min(axis=0), atol=MAX_FACE_GAP)
    np.testing.assert_allclose(face[:, [0, 2]].max(axis=0), pad_corners[:, [0, 2]].max(axis=0), atol=MAX_FACE_GAP)


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_camera_sees_something(env: Environment, camera: str) -> None:
    image = env.reset(0).image(camera)
    assert image.shape == (120, 160, 3)
    assert image.mean() > 40
    assert image.std() > 20
