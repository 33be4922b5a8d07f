"""The colours of objects, except those that the instruction names."""

import colorsys
import re

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
from ambidex.envs.types import FloatArray
from ambidex.errors import PerturbationError

COLOURS = ("black", "white", "grey", "red", "green", "blue", "yellow", "orange", "brown", "purple", "pink")


class ObjectColour(Perturbation):
    """Another hue of each object, and a tint for what has no hue: grey parts and textures.

    Objects whose colour is in the instruction keep it, as "the black bowl" would no longer be one.
    """

    # rotation of the hue [degrees], share of the tint
    strengths = ((10, 0.1), (25, 0.2), (45, 0.35), (90, 0.5), (180, 0.7))
    model_fields = ("geom_rgba", "mat_rgba")

    def __init__(self, clean: Clean, level: int) -> None:
        self._objects = _objects(clean)
        super().__init__(clean, level)

    def check(self) -> None:
        if not self._objects:
            problem = f"Perturbation object_colour: all objects of {self.clean.spec.task} are named with their colours."
            raise PerturbationError(problem, "Leave the axis out.", task=self.clean.spec.task)

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.camera_names)

    def draw(self, rng: np.random.Generator) -> Drawn:
        angle, self._share = self.strength
        signs = {name: float(rng.choice((-1.0, 1.0))) for name in self._objects}
        self._tints = {name: rng.uniform() for name in self._objects}
        self._turns = {name: angle * sign / 360.0 for name, sign in signs.items()}
        turns = {f"{name}_hue_deg": 360.0 * turn for name, turn in self._turns.items()}
        return {**turns, **{f"{name}_tint_deg": 360.0 * tint for name, tint in self._tints.items()}}

    def change_model(self, model: mujoco.MjModel) -> None:
        for name, (geoms, materials) in self._objects.items():
            for rgba in (*(model.geom_rgba[i] for i in geoms), *(model.mat_rgba[i] for i in materials)):
                rgba[:3] = self._recoloured(name, rgba[:3])

    def _recoloured(self, name: str, rgb: FloatArray) -> FloatArray:
        hue, saturation, value = colorsys.rgb_to_hsv(*map(float, rgb))
        turned = np.array(colorsys.hsv_to_rgb((hue + self._turns[name]) % 1.0, saturation, value))
        tint = np.array(colorsys.hsv_to_rgb(self._tints[name], 1.0, 1.0))
        share = self._share * (1.0 - saturation)
        return turned * ((1.0 - share) + share * tint)


def _objects(clean: Clean) -> dict[str, tuple[list[int], list[int]]]:
    """Root body of each object that may be recoloured -> its geoms without a material, and its materials."""
    model = clean.scene.model
    kept = named_with_colour(clean.spec.instruction)
    found: dict[str, tuple[list[int], list[int]]] = {}
    for name in clean.spec.object_names:
        root = int(model.body(name).rootid[0])
        if kept & set(re.split(r"[_/\d]+", name)) or (root and model.body(root).name in found):
            continue
        geoms = [i for i in range(model.ngeom) if model.body_rootid[model.geom_bodyid[i]] == root]
        materials = sorted({int(model.geom_matid[i]) for i in geoms} - {-1})
        found[model.body(root).name] = ([i for i in geoms if model.geom_matid[i] < 0], materials)
    return found


def named_with_colour(instruction: str) -> set[str]:
    """Words of things that an instruction names with a colour: "cube" of "the red cube"."""
    words = instruction.lower().replace(",", "").split()
    return {word for i, colour in enumerate(words) if colour in COLOURS for word in words[i + 1 : i + 3]}
