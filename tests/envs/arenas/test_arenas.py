"""Arenas: objects rest on the table, cameras are in place, and rendering is cheap."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.libero import ARENAS, arena_of
from ambidex.errors import UnknownNameError

MAX_TRIANGLES = 300
MAX_TEXTURE = 512  # [px]
COLLISION = 3
CAMERAS = {"agentview", "frontview", "birdview", "sideview", "galleryview"}
CUBE = 0.02  # half its side [m]


@pytest.fixture(scope="module", params=ARENAS)
def arena(request: pytest.FixtureRequest) -> Arena:
    return arena_of(request.param)


@pytest.fixture(scope="module")
def model(arena: Arena) -> mujoco.MjModel:
    return arena.make_spec().compile()


def with_cube(arena: Arena, xy: tuple[float, float]) -> mujoco.MjModel:
    spec = arena.make_spec()
    body = spec.worldbody.add_body(name="cube", pos=(*xy, arena.surface_z + CUBE + 0.005))
    body.add_freejoint()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(CUBE, CUBE, CUBE), mass=0.05)
    return spec.compile()


@pytest.mark.parametrize("xy", [(0.0, 0.0), (-0.2, 0.3), (0.2, -0.3)])
def test_a_cube_comes_to_rest_on_the_table(arena: Arena, xy: tuple[float, float]) -> None:
    model = with_cube(arena, xy)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, round(1.0 / model.opt.timestep))
    np.testing.assert_allclose(data.body("cube").xpos, (*xy, arena.surface_z + CUBE), atol=2e-4)
    assert np.abs(data.qvel).max() < 1e-3
    assert (data.contact.geom == model.geom("table").id).any()


def test_an_empty_arena_has_no_joints_and_no_contacts(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert model.nq == 0
    assert data.ncon == 0


def test_only_hidden_geoms_collide(model: mujoco.MjModel) -> None:
    hidden = model.geom_group == COLLISION
    assert (model.geom_contype[hidden] == 1).all()
    assert not model.geom_contype[~hidden].any()
    assert not model.geom_conaffinity[~hidden].any()


def test_few_triangles_and_small_textures(model: mujoco.MjModel) -> None:
    assert int(model.mesh_facenum.sum()) <= MAX_TRIANGLES
    flat = model.tex_type == mujoco.mjtTexture.mjTEXTURE_2D
    assert max(*model.tex_width[flat], *model.tex_height[flat]) <= MAX_TEXTURE


def test_the_model_is_deterministic(arena: Arena) -> None:
    first, second = (np.empty(mujoco.mj_sizeModel(arena.make_spec().compile()), np.uint8) for _ in range(2))
    for buffer in (first, second):
        mujoco.mj_saveModel(arena.make_spec().compile(), None, buffer)
    np.testing.assert_array_equal(first, second)


def test_every_arena_has_the_cameras(model: mujoco.MjModel) -> None:
    assert {model.camera(i).name for i in range(model.ncam)} == CAMERAS
    assert model.camera("agentview").fovy == 45.0


def test_agentview_looks_at_the_middle_of_the_table_from_the_front(arena: Arena, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    position, axes = data.camera("agentview").xpos, data.camera("agentview").xmat.reshape(3, 3)
    np.testing.assert_allclose(axes[:, 0], (0.0, 1.0, 0.0), atol=1e-4)
    forward = -axes[:, 2]
    hit = position + forward * (arena.surface_z - position[2]) / forward[2]
    assert abs(hit[0] - arena.offset[0]) < 0.25
    assert abs(hit[1]) < 1e-3


def test_agentview_is_at_the_published_position() -> None:
    """Positions in LIBERO's problem classes."""
    for problem, position in (
        ("libero_tabletop_manipulation", (0.6586131746834771, 0.0, 1.6103500240372423)),
        ("libero_study_tabletop_manipulation", (0.4586131746834771, 0.0, 1.6103500240372423)),
        ("libero_living_room_tabletop_manipulation", (0.6065773716836134, 0.0, 0.96)),
        ("libero_floor_manipulation", (0.8965773716836134, 5.2e-07, 0.65)),
    ):
        model = arena_of(problem).make_spec().compile()
        np.testing.assert_allclose(model.camera("agentview").pos, position, atol=1e-12)


def test_robot_and_table_do_not_overlap(arena: Arena) -> None:
    model = arena.make_spec().compile()
    table = model.geom("table")
    if table.type == mujoco.mjtGeom.mjGEOM_BOX:
        assert table.pos[0] - table.size[0] > arena.base.position[0] + 0.1


def test_problem_names_ignore_case() -> None:
    assert arena_of("LIBERO_Kitchen_Tabletop_Manipulation") is arena_of("libero_kitchen_tabletop_manipulation")


def test_an_unknown_problem_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        arena_of("libero_flor_manipulation")
    assert caught.value.facts["expected"] == sorted(ARENAS)
