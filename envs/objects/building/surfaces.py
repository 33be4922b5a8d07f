"""Procedural textures of wood, boards, tiles, plaster and cloth, all tileable, and their projection on meshes."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from ambidex.envs.objects.building.mesh import Colour, Mesh
from ambidex.envs.objects.building.shapes import box
from ambidex.envs.types import FloatArray, ImageArray

SPAN = 0.25  # length that a texture covers by default [m]


@cache
def wood(low: Colour, high: Colour, seed: int, side: int = 256) -> ImageArray:
    """Planed wood, its grain along the texture's width, shape (side, side, 3) uint8, for about 25 cm.

    The dark rings have the colour `low`, the wood between them `high`.
    """
    return _mixed(_grain(side, side, seed), low, high)


@cache
def boards(low: Colour, high: Colour, rows: int, seed: int, side: int = 512, lengths: int = 2) -> ImageArray:
    """Boards side by side, their grain along the texture's width, shape (side, side, 3) uint8.

    Args:
        low: Colour of the dark rings and of the joints.
        high: Colour between the rings.
        rows: Boards across; must divide `side`.
        seed: Random seed.
        side: Height and width [px].
        lengths: Boards along; 0 for endless ones.
    """
    rng = np.random.default_rng(seed)
    share = _grain(side, side, seed)
    across = side // rows
    for row in range(rows):
        band = share[row * across : (row + 1) * across]
        first, step = int(rng.integers(side)), side // max(lengths, 1)
        cuts = sorted((first + i * step + int(rng.integers(step // 3))) % side for i in range(max(lengths, 1)))
        for start, length in zip(cuts, np.diff([*cuts, cuts[0] + side]).tolist(), strict=True):
            where = np.arange(start, start + length) % side
            band[:, where] = np.roll(band[:, where], int(rng.integers(across)), axis=0) + rng.normal(0.0, 0.1)
        band[:2] -= 0.35
        if lengths:
            band[:, np.add.outer([0, 1], cuts).ravel() % side] -= 0.35
    return _mixed(share, low, high)


@cache
def tiles(colour: Colour, joint: Colour, count: int, seed: int, side: int = 256, width: int = 3) -> ImageArray:
    """Square tiles, `count` along each side, which it must divide, shape (side, side, 3) uint8.

    The joints between them are `width` [px] wide.
    """
    size = side // count
    shade = np.random.default_rng(seed).normal(0.0, 0.025, size=(count, count)).repeat(size, 0).repeat(size, 1)
    shade += 0.012 * _noise(side, side, size / 6, size / 6, seed + 1)
    pixels = np.clip(np.array(colour) * (1.0 + shade[..., None]), 0.0, 1.0)
    edge = np.arange(side) % size < width
    pixels[edge[:, None] | edge[None, :]] = joint
    return (255.0 * pixels).astype(np.uint8)


@cache
def plaster(colour: Colour, seed: int, side: int = 128) -> ImageArray:
    """A painted wall, shape (side, side, 3) uint8."""
    shade = 0.010 * _noise(side, side, side / 10, side / 10, seed) + 0.006 * _noise(side, side, 1.0, 1.0, seed + 1)
    return np.clip(255.0 * np.array(colour) * (1.0 + shade[..., None]), 0.0, 255.0).astype(np.uint8)


@cache
def cloth(colour: Colour, seed: int, side: int = 128) -> ImageArray:
    """A woven carpet, shape (side, side, 3) uint8."""
    thread = np.arange(side) / side * 2 * np.pi * (side / 8)
    weave = 0.05 * np.sin(thread)[:, None] * np.sin(thread)[None, :]
    shade = weave + 0.03 * _noise(side, side, 1.0, 1.0, seed)
    return np.clip(255.0 * np.array(colour) * (1.0 + shade[..., None]), 0.0, 255.0).astype(np.uint8)


def project_texture(mesh: Mesh, axis: int = 0, span: float = SPAN) -> Mesh:
    """The mesh with coordinates of a tileable texture, projected along each normal's main axis.

    The width of the texture is along `axis` (0, 1, 2) on sides that are not perpendicular to it, and covers `span` [m].
    """
    facing = np.abs(mesh.normals).argmax(axis=1)
    along = np.where(facing == axis, (axis + 1) % 3, axis)
    across = 3 - facing - along
    rows = np.arange(len(facing))
    uv = np.column_stack([mesh.vertices[rows, along], -mesh.vertices[rows, across]]) / span
    return Mesh(vertices=mesh.vertices, normals=mesh.normals, uv=uv, faces=mesh.faces)


def board(low: Sequence[float], high: Sequence[float], axis: int = 0, span: float = SPAN) -> Mesh:
    """A box between two corners (3,) [m], its texture projected with the grain along an axis."""
    return project_texture(box(low, high), axis, span)


def _grain(height: int, width: int, seed: int) -> FloatArray:
    rows = np.arange(height)[:, None] / height
    figure = _noise(height, width, height / 14, width / 4, seed)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (5 * rows + 0.55 * figure))
    fibre = _noise(height, width, 0.7, width / 12, seed + 1)
    return 0.62 + 0.26 * (rings - 0.5) + 0.1 * fibre


def _noise(height: int, width: int, tall: float, wide: float, seed: int) -> FloatArray:
    """Smooth random field (height, width) of unit standard deviation, its features `tall` x `wide` pixels."""
    white = np.random.default_rng(seed).normal(size=(height, width))
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]
    blur = np.exp(-2.0 * np.pi**2 * ((tall * rows) ** 2 + (wide * columns) ** 2))
    field: FloatArray = np.fft.ifft2(np.fft.fft2(white) * blur).real
    unit: FloatArray = (field - field.mean()) / field.std()
    return unit


def _mixed(share: FloatArray, low: Colour, high: Colour) -> ImageArray:
    """Colours from `low` where `share` (H, W) is 0 to `high` where it is 1."""
    weight = np.clip(share, 0.0, 1.0)[..., None]
    colours = np.array(low) * (1.0 - weight) + np.array(high) * weight
    return np.clip(255.0 * colours, 0.0, 255.0).astype(np.uint8)
