"""Table top, walls, floor and sky with a pattern."""

import mujoco
import numpy as np

from ambidex.envs.perturbations.appearance.patterns import PATTERNS
from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, ImageArray
from ambidex.errors import PerturbationError

RGB = mujoco.mjtTextureRole.mjTEXROLE_RGB.value
SKY = mujoco.mjtTexture.mjTEXTURE_SKYBOX.value
CELLS = (2, 4, 8)  # of a pattern along a side of its texture; even, so that patterns continue where textures repeat


class Background(Perturbation):
    """A procedural pattern in two colours on each surface, mixed with its clean look.

    Surfaces are the sky and what stands in the world with a texture: floor, walls, rug and table top. A table top of
    one colour, as ALOHA's, has its pattern on an unused texture of its name. Nothing else has these textures.
    """

    strengths = ((0.2,), (0.4,), (0.6,), (0.8,), (1.0,))  # share of the pattern
    model_fields = ("tex_data", "mat_texid", "mat_rgba")

    def __init__(self, clean: Clean, level: int) -> None:
        model, surfaces = clean.scene.model, _surfaces(clean.scene)
        self._plain = _unused_textures(model, surfaces)
        textures = sorted({*_sky(model), *_textures(model, surfaces), *self._plain.values()})
        self._clean = {texture: texture_image(model, texture).copy() for texture in textures}
        for material, texture in self._plain.items():
            self._clean[texture][:] = np.rint(255.0 * model.mat_rgba[material, :3])
        super().__init__(clean, level)

    def check(self) -> None:
        if not self._clean:
            problem = f"Perturbation background: {self.clean.spec.task} has no sky, and no surface with a texture."
            raise PerturbationError(problem, "Leave the axis out.", task=self.clean.spec.task)

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.camera_names)

    def draw(self, rng: np.random.Generator) -> Drawn:
        (share,) = self.strength
        model, drawn, self._images = self.clean.scene.model, {}, {}
        for texture, clean in self._clean.items():
            kind, cells = str(rng.choice(sorted(PATTERNS))), int(rng.choice(CELLS))
            colours, seed = rng.integers(256, size=(2, 3)), int(rng.integers(2**32))
            pattern = PATTERNS[kind](clean.shape[1], cells, np.random.default_rng(seed))
            self._images[texture] = _mixed(clean, pattern, colours.astype(np.float32), share)
            first, second = (f"#{bytes(colour.tolist()).hex()}" for colour in colours)
            drawn[model.texture(texture).name] = f"{kind} {cells} {first} {second}"
        return {"share": share, **drawn}

    def change_model(self, model: mujoco.MjModel) -> None:
        for texture, image in self._images.items():
            texture_image(model, texture)[:] = image
        for material, texture in self._plain.items():
            model.mat_texid[material, RGB], model.mat_rgba[material, :3] = texture, 1.0


def texture_image(model: mujoco.MjModel, texture: int) -> ImageArray:
    """The pixels of a texture as a view, shape (H, W, C) uint8."""
    shape = (model.tex_height[texture], model.tex_width[texture], model.tex_nchannel[texture])
    start = model.tex_adr[texture]
    return np.reshape(model.tex_data[start : start + int(np.prod(shape))], shape)


def _mixed(clean: ImageArray, pattern: Float32Array, colours: Float32Array, share: float) -> ImageArray:
    """An image (H, W, 3) with this share of a pattern (W, W) from 0 to 1 between two colours (2, 3).

    The pattern is repeated or cut off along the height.
    """
    repeated, mixed = pattern[np.arange(len(clean)) % len(pattern)], np.empty_like(clean)
    for channel, (first, second) in enumerate(colours.T):  # one after the other, which is four times as fast
        before = clean[..., channel].astype(np.float32)
        new = first + repeated * (second - first)
        mixed[..., channel] = np.rint(before + np.float32(share) * (new - before))
    return mixed


def _sky(model: mujoco.MjModel) -> list[int]:
    return [texture for texture in range(model.ntex) if model.tex_type[texture] == SKY]


def _surfaces(scene: Scene) -> list[int]:
    """Materials that only geoms of the world's body and of the table's have."""
    model = scene.model
    standing = np.isin(model.geom_bodyid, (0, int(model.geom("table").bodyid[0])))
    return sorted(set(model.geom_matid[standing].tolist()) - set(model.geom_matid[~standing].tolist()) - {-1})


def _textures(model: mujoco.MjModel, surfaces: list[int]) -> set[int]:
    """The textures of these materials that no other material has."""
    of_material = model.mat_texid[:, RGB]
    return set(of_material[surfaces].tolist()) - set(np.delete(of_material, surfaces).tolist()) - {-1}


def _unused_textures(model: mujoco.MjModel, surfaces: list[int]) -> dict[int, int]:
    """Those of these materials that have no texture -> the texture of the same name, which no material has."""
    unused = {model.texture(i).name: i for i in range(model.ntex) if i not in model.mat_texid}
    names = {i: model.material(i).name for i in surfaces if model.mat_texid[i, RGB] < 0}
    return {i: unused[name] for i, name in names.items() if name in unused}
