"""Patterns on table top, walls, floor and sky, and on nothing else."""

from collections.abc import Mapping

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.perturbations.appearance.background import RGB, Background, texture_image
from ambidex.envs.perturbations.appearance.patterns import PATTERNS
from ambidex.envs.types import ImageArray

SURFACES: Mapping[str, set[str]] = {
    "transfer_cube": {"sky", "table"},
    "libero_goal/1": {"sky", "room0", "room1", "room3"},  # floor, walls, table
    "libero_object/0": {"sky", "room0", "room1"},  # floor, walls
    "libero_10/0": {"sky", "room0", "room1", "room3", "room4"},  # floor, walls, rug, table
    "libero_10/5": {"sky", "room0", "room1", "room3"},
    "libero_90/0": {"sky", "room0", "room1", "room3"},
}
"""A task of each arena -> textures that get a pattern."""


def textures(env: Environment) -> dict[str, ImageArray]:
    model = env.scene.model
    return {model.texture(i).name: texture_image(model, i).copy() for i in range(model.ntex)}


def perturbed_textures(task: str, level: int, seed: int = 3) -> dict[str, ImageArray]:
    with make(task, cameras=(), perturb=[f"background:{level}"]) as env:
        env.perturb(seed)
        assert set(env.perturbed["background"]) == {"level", "share", *SURFACES[task]}
        assert env.perturbed["background"]["share"] == Background.strengths[level - 1][0]
        return textures(env)


@pytest.mark.parametrize("task", SURFACES)
def test_surfaces_and_only_they_get_a_pattern(task: str) -> None:
    with make(task, cameras=()) as env:
        clean, model = textures(env), env.scene.model
        patterned = perturbed_textures(task, 5)
        changed = {name for name, image in patterned.items() if not np.array_equal(image, clean[name])}
        assert changed == SURFACES[task]
        bodies = {0, int(model.geom("table").bodyid[0])}
        for geom in np.flatnonzero(model.geom_matid >= 0):
            texture = model.mat_texid[model.geom_matid[geom], RGB]
            if texture >= 0 and model.texture(texture).name in changed:
                assert model.geom_bodyid[geom] in bodies


@pytest.mark.parametrize("task", ["transfer_cube", "libero_10/0"])
def test_a_level_mixes_its_share_of_one_pattern_with_the_clean_look(task: str) -> None:
    with make(task, cameras=()) as env:
        clean = textures(env)
        if task == "transfer_cube":  # its table has one colour, and an unused texture
            clean["table"][:] = np.rint(255 * env.scene.model.material("table").rgba[:3])
    patterns = perturbed_textures(task, 5)
    for level, (share,) in enumerate(Background.strengths, 1):
        mixed = perturbed_textures(task, level)
        for name in SURFACES[task]:
            expected = (1 - share) * clean[name].astype(float) + share * patterns[name]
            assert np.abs(mixed[name] - expected).max() <= 1.0


def test_the_table_of_aloha_has_its_pattern_in_perturbed_episodes_only() -> None:
    with make("transfer_cube", cameras=(), perturb=["background:1"]) as env:
        model = env.scene.model
        table, texture = model.material("table").id, model.texture("table").id
        rgba = model.mat_rgba[table].copy()
        assert texture not in model.mat_texid
        env.perturb(0)
        assert np.argwhere(model.mat_texid == texture).tolist() == [[table, RGB]]
        assert model.mat_rgba[table].tolist() == [1, 1, 1, 1]
        env._perturbations.clear()
        assert texture not in model.mat_texid
        assert np.array_equal(model.mat_rgba[table], rgba)


def test_an_open_renderer_shows_the_patterns_of_each_episode() -> None:
    images = {}
    with make("libero_goal/1", cameras=("agentview",), image_size=(48, 64), perturb=["background:5"]) as env:
        for seed in (1, 2, 1):
            image = env.reset(seed).image("agentview")
            assert np.array_equal(image, images.setdefault(seed, image))
    for seed, image in images.items():
        with make("libero_goal/1", cameras=("agentview",), image_size=(48, 64), perturb=["background:5"]) as env:
            assert np.array_equal(env.reset(seed).image("agentview"), image)


@pytest.mark.parametrize("kind", PATTERNS)
def test_patterns_span_both_colours_and_continue_at_the_opposite_side(kind: str) -> None:
    side, cells = 64, 4
    for seed in range(6):
        pattern = PATTERNS[kind](side, cells, np.random.default_rng(seed))
        assert pattern.shape == (side, side)
        assert (pattern.min(), pattern.max()) == pytest.approx((0.0, 1.0), abs=0.01)
        assert np.array_equal(pattern, PATTERNS[kind](side, cells, np.random.default_rng(seed)))
        for image in (pattern, pattern.T):
            inside = np.abs(np.diff(image, axis=0)).max(axis=1)
            across = np.abs(image[0] - image[-1]).max()
            assert across <= inside.max() + 1e-6
            if kind in ("checker", "stripes"):  # every cell has the same width, that across the border too
                edges = np.flatnonzero(np.append(inside, across) > 0.5)
                assert len(edges) in (0, cells, side)
