"""Laws of every category: names, boxes, masses, looks."""

import time

import mujoco
import numpy as np
import pytest

from ambidex.envs.objects.properties import categories, object_properties
from ambidex.envs.objects.registry import OBJECTS, object_spec
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.suites import HORIZONS, find_definition, task_names
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


def test_every_category_with_figures_is_registered_and_the_other_way_round() -> None:
    assert set(OBJECTS) == set(categories())


def test_an_unknown_category_is_named_with_what_exists() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ketchup'"):
        object_spec("ketchip")
    with pytest.raises(UnknownNameError, match="akita_black_bowl"):
        object_properties("ketchip")


@pytest.mark.parametrize("category", FREE)
@pytest.mark.parametrize("group", [2, 3], ids=["looks", "collision"])
def test_it_fills_its_box(category: str, group: int) -> None:
    low, high = bounds(category, group)
    given = object_properties(category)
    np.testing.assert_allclose(low, given.low, atol=TOLERANCE)
    np.testing.assert_allclose(high, given.high, atol=TOLERANCE)


@pytest.mark.parametrize("category", FREE)
def test_there_is_one_body_called_main_with_the_mass_that_is_given(category: str) -> None:
    model, _ = model_of(category)
    assert [model.body(i).name for i in range(model.nbody)] == ["world", "main"]
    assert model.njnt == 0
    assert model.body("main").mass[0] == pytest.approx(object_properties(category).mass)
    assert 0.03 <= object_properties(category).mass <= 0.3


@pytest.mark.parametrize("category", FREE)
def test_its_inertia_is_that_of_a_body_of_its_size(category: str) -> None:
    model, _ = model_of(category)
    body = model.body("main")
    reach = np.linalg.norm(object_properties(category).size) / 2
    assert (np.sqrt(body.inertia / body.mass) < reach).all()
    assert (np.sqrt(body.inertia / body.mass) > 0.01).all()
    assert body.inertia.max() < np.sort(body.inertia)[:2].sum() * 1.001


@pytest.mark.parametrize("category", FREE)
def test_what_is_seen_touches_nothing_and_what_touches_is_simple(category: str) -> None:
    model, _ = model_of(category)
    touching = 0
    for geom in range(model.ngeom):
        if model.geom_group[geom] == 2:
            assert model.geom_contype[geom] == model.geom_conaffinity[geom] == 0
        else:
            assert model.geom_group[geom] == 3
            assert model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX
            assert model.geom_condim[geom] == 4
            assert model.geom_friction[geom, 0] == object_properties(category).friction
            touching += 1
    assert 1 <= touching <= 13


@pytest.mark.parametrize("category", FREE)
def test_it_is_drawn_with_few_triangles_and_small_textures(category: str) -> None:
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
def test_sites_are_where_they_are_given(category: str) -> None:
    model, data = model_of(category)
    for name, site in object_properties(category).sites.items():
        np.testing.assert_allclose(data.site(name).xpos, site.position, atol=1e-9)
        np.testing.assert_allclose(model.site(name).size, site.half_size, atol=1e-9)
        assert model.site_group[model.site(name).id] == 4


def test_every_category_of_the_published_tasks_exists() -> None:
    problems = [read_problem(find_definition(name).path) for suite in HORIZONS for name in task_names(suite)]
    used = {category for problem in problems for category in (*problem.objects.values(), *problem.fixtures.values())}
    assert used == set(categories())


def test_a_model_is_made_fast_after_the_first() -> None:
    for category in FREE:
        object_spec(category)
    start = time.perf_counter()
    for category in FREE:
        object_spec(category)
    assert (time.perf_counter() - start) / len(FREE) < 0.01


def test_a_model_is_fresh_each_time() -> None:
    object_spec("butter").body("main").name = "other"
    assert object_spec("butter").body("main") is not None
