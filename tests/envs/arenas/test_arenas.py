"""LIBERO's rooms: things stand where they should, cameras look from where they should, looks cost little."""

import mujoco
import numpy as np
import pytest

from ambidex.envs.arenas.arena import ARENAS, Arena, arena
from ambidex.errors import UnknownNameError

MAX_TRIANGLES = 300
MAX_TEXTURE = 512  # [px]
COLLISION = 3
CAMERAS = {"agentview", "frontview", "birdview", "sideview", "galleryview"}
CUBE = 0.02  # half its side [m]


@pytest.fixture(scope="module", params=ARENAS)
def room(request: pytest.FixtureRequest) -> Arena:
    return arena(request.param)


@pytest.fixture(scope="module")
def model(room: Arena) -> mujoco.MjModel:
    return room.make_spec().compile()


def with_cube(room: Arena, xy: tuple[float, float]) -> mujoco.MjModel:
    spec = room.make_spec()
    body = spec.worldbody.add_body(name="cube", pos=(*xy, room.surface_z + CUBE + 0.005))
    body.add_freejoint()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(CUBE, CUBE, CUBE), mass=0.05)
    return spec.compile()


@pytest.mark.parametrize("xy", [(0.0, 0.0), (-0.2, 0.3), (0.2, -0.3)])
def test_a_cube_comes_to_rest_on_the_table(room: Arena, xy: tuple[float, float]) -> None:
    model = with_cube(room, xy)
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, round(1.0 / model.opt.timestep))
    np.testing.assert_allclose(data.body("cube").xpos, (*xy, room.surface_z + CUBE), atol=2e-4)
    assert np.abs(data.qvel).max() < 1e-3
    assert (data.contact.geom == model.geom("table").id).any()


def test_nothing_moves_and_nothing_touches_in_an_empty_room(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert model.nq == 0
    assert data.ncon == 0


def test_only_hidden_shapes_collide(model: mujoco.MjModel) -> None:
    hidden = model.geom_group == COLLISION
    assert (model.geom_contype[hidden] == 1).all()
    assert not model.geom_contype[~hidden].any()
    assert not model.geom_conaffinity[~hidden].any()


def test_looks_cost_little(model: mujoco.MjModel) -> None:
    assert int(model.mesh_facenum.sum()) <= MAX_TRIANGLES
    flat = model.tex_type == mujoco.mjtTexture.mjTEXTURE_2D
    assert max(*model.tex_width[flat], *model.tex_height[flat]) <= MAX_TEXTURE


def test_making_a_room_twice_makes_the_same_room(room: Arena) -> None:
    first, second = (np.empty(mujoco.mj_sizeModel(room.make_spec().compile()), np.uint8) for _ in range(2))
    for buffer in (first, second):
        mujoco.mj_saveModel(room.make_spec().compile(), None, buffer)
    np.testing.assert_array_equal(first, second)


def test_every_room_has_the_cameras(model: mujoco.MjModel) -> None:
    assert {model.camera(i).name for i in range(model.ncam)} == CAMERAS
    assert model.camera("agentview").fovy == 45.0


def test_agentview_looks_from_the_front_at_the_middle_of_the_table(room: Arena, model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    position, axes = data.camera("agentview").xpos, data.camera("agentview").xmat.reshape(3, 3)
    np.testing.assert_allclose(axes[:, 0], (0.0, 1.0, 0.0), atol=1e-4)
    forward = -axes[:, 2]
    hit = position + forward * (room.surface_z - position[2]) / forward[2]
    assert abs(hit[0] - room.offset[0]) < 0.25
    assert abs(hit[1]) < 1e-3


def test_the_published_cameras() -> None:
    """Positions of the cameras: LIBERO's problem classes."""
    for problem, position in (
        ("libero_tabletop_manipulation", (0.6586131746834771, 0.0, 1.6103500240372423)),
        ("libero_study_tabletop_manipulation", (0.4586131746834771, 0.0, 1.6103500240372423)),
        ("libero_living_room_tabletop_manipulation", (0.6065773716836134, 0.0, 0.96)),
        ("libero_floor_manipulation", (0.8965773716836134, 5.2e-07, 0.65)),
    ):
        model = arena(problem).make_spec().compile()
        np.testing.assert_allclose(model.camera("agentview").pos, position, atol=1e-12)


def test_robot_and_table_leave_each_other_room(room: Arena) -> None:
    model = room.make_spec().compile()
    table = model.geom("table")
    if table.type == mujoco.mjtGeom.mjGEOM_BOX:
        assert table.pos[0] - table.size[0] > room.base.position[0] + 0.1


def test_problem_names_are_read_in_any_case() -> None:
    assert arena("LIBERO_Kitchen_Tabletop_Manipulation") is arena("libero_kitchen_tabletop_manipulation")


def test_an_unknown_problem_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="libero_floor_manipulation"):
        arena("libero_flor_manipulation")
