"""Meshes are closed, face outwards and have upright textures."""

import numpy as np
import pytest

from ambidex.envs.objects.building.canvas import Canvas, letter_dots
from ambidex.envs.objects.building.mesh import Mesh, lay_down, merge, rotate_label
from ambidex.envs.objects.building.shapes import WHOLE_TEXTURE, box, prism, revolve, tube

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def volume(mesh: Mesh) -> float:
    """Volume of a closed mesh; negative if it faces inwards."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def colour_at(mesh: Mesh, image: np.ndarray, point: tuple[float, float, float]) -> float:
    """Colour of the texture at the vertex nearest to a point."""
    u, v = mesh.uv[np.argmin(np.linalg.norm(mesh.vertices - point, axis=1))]
    height, width, _ = image.shape
    return float(image[min(int(v * height), height - 1), min(int(u * width), width - 1), 0])


def test_volumes_are_those_of_the_shapes() -> None:
    assert volume(box((0, 0, 0), (0.1, 0.2, 0.3))) == pytest.approx(0.006)
    assert volume(prism([(0, 0), (0.2, 0), (0.2, 0.1), (0, 0.1)], 0.0, 0.1)) == pytest.approx(0.002)
    cylinder = revolve([(0, 0), (0.1, 0), (0.1, 0.2), (0, 0.2)], slices=64)
    assert volume(cylinder) == pytest.approx(np.pi * 0.01 * 0.2, rel=0.005)


def test_a_hollow_profile_encloses_the_wall_alone() -> None:
    cup = revolve([(0, 0), (0.1, 0), (0.1, 0.2), (0.09, 0.2), (0.09, 0.01), (0, 0.01)], slices=64)
    wall = np.pi * (0.1**2 * 0.2 - 0.09**2 * 0.19)
    assert volume(cup) == pytest.approx(wall, rel=0.005)


def test_squarer_sections_fill_more_of_the_box() -> None:
    profile = [(0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)]
    assert volume(revolve(profile, 32)) < volume(revolve(profile, 32, power=4.0)) < 0.2 * 0.2 * 0.1


def test_transformed_meshes_still_face_outwards() -> None:
    block = box((-1, -1, -1), (1, 1, 1)).scaled((0.1, 0.2, 0.3)).translated((1, 2, 3))
    assert volume(lay_down(block)) == pytest.approx(8 * 0.006)
    fitted = block.fitted_to((0, 0, 0), (1, 2, 3))
    np.testing.assert_allclose(fitted.vertices.max(axis=0), (1, 2, 3))
    assert volume(merge(fitted, block)) == pytest.approx(6 + 8 * 0.006)


def test_a_tube_faces_outwards() -> None:
    bar = tube([(0.0, 0.0), (0.0, 0.1), (0.1, 0.2)], 0.01, 0.02)
    corners = bar.vertices[bar.faces]
    faced = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", faced, bar.normals[bar.faces].mean(axis=1)) > 0).all()


@pytest.mark.parametrize(
    ("side", "upper", "lower"),
    [
        ("front", (0, 0, 1), (0, 0, 0)),
        ("right", (1, 0, 1), (1, 0, 0)),
        ("back", (1, 1, 1), (1, 1, 0)),
        ("left", (0, 1, 1), (0, 1, 0)),
        ("top", (0, 1, 1), (0, 0, 1)),
    ],
)
def test_textures_are_upright_on_every_side(side: str, upper: tuple, lower: tuple) -> None:
    image = Canvas(8, 8, BLACK).rectangle(0, 0, 0.5, 0.5, WHITE).image
    mesh = box((0, 0, 0), (1, 1, 1), {side: WHOLE_TEXTURE})
    assert colour_at(mesh, image, upper) == 255
    assert colour_at(mesh, image, lower) == 0


def test_a_label_laid_down_is_upright_from_plus_x() -> None:
    """The label's right is along +y; on the side that faces +x its upper edge is up."""
    label = Canvas(16, 16, BLACK).rectangle(0.5, 0, 1, 0.5, WHITE).image  # upper right
    carton = lay_down(box((0, 0, 0), (1, 1, 1), {"right": WHOLE_TEXTURE}))  # spans z -1..0 when it lies
    assert colour_at(carton, rotate_label(label), (1, 1, 0)) == 255
    assert colour_at(carton, rotate_label(label), (1, 1, -1)) == 0
    assert colour_at(carton, rotate_label(label), (1, 0, 0)) == 0


def test_letters_differ_and_text_stays_in_its_area() -> None:
    letters = [letter_dots(chr(code)).tobytes() for code in range(ord("A"), ord("Z") + 1)]
    assert len(set(letters)) == 26
    image = Canvas(64, 32, BLACK).text("AB\nCD", 0.25, 0.5, WHITE, width=0.4, height=0.9).image
    assert image[:, :32].max() == 255
    assert image[:, 32:].max() == 0


def test_an_unknown_letter_is_refused() -> None:
    with pytest.raises(KeyError):
        letter_dots("a")
