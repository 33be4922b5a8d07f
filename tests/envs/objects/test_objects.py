"""Every category: names, sizes, masses and appearance."""

import time

import mujoco
import numpy as np
import pytest

from ambidex.envs.objects.properties import categories, object_properties
from ambidex.envs.objects.registry import OBJECTS, object_spec
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.suites import HORIZONS, find_definition, tasks_of_suite
from ambidex.errors import UnknownNameError

FREE = [category for category in categories() if not object_properties(category).is_fixture]
TOLERANCE = 1e-3  # [m]


def model_of(category: str) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = object_spec(category).compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def corners(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> np.ndarray:
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        start = model.mesh_vertadr[mesh]
        local = model.mesh_vert[start : start + model.mesh_vertnum[mesh]]
    else:
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        local = signs * model.geom_size[geom]
    return local @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]


def bounds(category: str, group: int) -> tuple[np.ndarray, np.ndarray]:
    model, data = model_of(category)
    points = np.concatenate([corners(model, data, i) for i in range(model.ngeom) if model.geom_group[i] == group])
    return points.min(axis=0), points.max(axis=0)


def test_registered_categories_are_those_with_properties() -> None:
    assert set(OBJECTS) == set(categories())


def test_an_unknown_category_gets_a_suggestion() -> None:
    for find in (object_spec, object_properties):
        with pytest.raises(UnknownNameError, match="Did you mean 'ketchup'"):
            find("ketchip")


@pytest.mark.parametrize("category", FREE)
@pytest.mark.parametrize("group", [2, 3], ids=["visual", "collision"])
def test_visuals_and_collision_geoms_fill_the_box(category: str, group: int) -> None:
    low, high = bounds(category, group)
    given = object_properties(category)
    np.testing.assert_allclose(low, given.low, atol=TOLERANCE)
    np.testing.assert_allclose(high, given.high, atol=TOLERANCE)


@pytest.mark.parametrize("category", FREE)
def test_the_only_body_is_main_and_has_the_given_mass(category: str) -> None:
    model, _ = model_of(category)
    assert [model.body(i).name for i in range(model.nbody)] == ["world", "main"]
    assert model.njnt == 0
    assert model.body("main").mass[0] == pytest.approx(object_properties(category).mass)
    assert 0.03 <= object_properties(category).mass <= 0.3


@pytest.mark.parametrize("category", FREE)
def test_inertia_is_plausible_for_the_size(category: str) -> None:
    model, _ = model_of(category)
    body = model.body("main")
    reach = np.linalg.norm(object_properties(category).size) / 2
    assert (np.sqrt(body.inertia / body.mass) < reach).all()
    assert (np.sqrt(body.inertia / body.mass) > 0.01).all()
    assert body.inertia.max() < np.sort(body.inertia)[:2].sum() * 1.001


@pytest.mark.parametrize("category", FREE)
def test_visuals_do_not_collide_and_collision_geoms_are_few_boxes(category: str) -> None:
    model, _ = model_of(category)
    colliding = 0
    for geom in range(model.ngeom):
        if model.geom_group[geom] == 2:
            assert model.geom_contype[geom] == model.geom_conaffinity[geom] == 0
        else:
            assert model.geom_group[geom] == 3
            assert model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX
            assert model.geom_condim[geom] == 4
            assert model.geom_friction[geom, 0] == object_properties(category).friction
            colliding += 1
    assert 1 <= colliding <= 13


@pytest.mark.parametrize("category", FREE)
def test_few_triangles_and_small_textures(category: str) -> None:
    model, _ = model_of(category)
    assert model.mesh_facenum.sum() <= 400
    assert model.ntex == 0 or max(model.tex_width.max(), model.tex_height.max()) <= 256


@pytest.mark.parametrize("category", FREE)
def test_triangles_face_where_their_normals_point(category: str) -> None:
    model, _ = model_of(category)
    for mesh in range(model.nmesh):
        rows = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
        vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][model.mesh_face[rows]]
        normals = model.mesh_normal[model.mesh_normaladr[mesh] :][model.mesh_facenormal[rows]]
        faced = np.cross(vertices[:, 1] - vertices[:, 0], vertices[:, 2] - vertices[:, 0])
        assert ((faced[:, None] * normals).sum(axis=2) > 0).all()


@pytest.mark.parametrize("category", [c for c in FREE if object_properties(c).sites])
def test_sites_have_the_given_position_and_size(category: str) -> None:
    model, data = model_of(category)
    for name, site in object_properties(category).sites.items():
        np.testing.assert_allclose(data.site(name).xpos, site.position, atol=1e-9)
        np.testing.assert_allclose(model.site(name).size, site.half_size, atol=1e-9)
        assert model.site_group[model.site(name).id] == 4


def test_every_category_of_the_published_tasks_exists() -> None:
    problems = [read_problem(find_definition(name).path) for suite in HORIZONS for name in tasks_of_suite(suite)]
    used = {category for problem in problems for category in (*problem.objects.values(), *problem.fixtures.values())}
    assert used == set(categories())


def test_a_second_model_is_made_fast() -> None:
    for category in FREE:
        object_spec(category)
    start = time.perf_counter()
    for category in FREE:
        object_spec(category)
    assert (time.perf_counter() - start) / len(FREE) < 0.01


def test_every_model_is_new() -> None:
    object_spec("butter").body("main").name = "other"
    assert object_spec("butter").body("main") is not None
