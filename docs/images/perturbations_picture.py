"""Makes perturbations.jpg: axes at levels 0 to 5 in one episode: `python docs/images/perturbations_picture.py`."""

import numpy as np
from PIL import Image

import ambidex
from ambidex.envs.perturbations.inputs.sensor import DISTURBANCES
from ambidex.envs.perturbations.perturbation import LEVELS
from ambidex.envs.types import ImageArray

TASK, SEED, SCENE, WRIST = "libero_goal/1", 1, "agentview", "robot0_eye_in_hand"
AXES = ("camera", "wrist_camera", "fov", "light", "object_colour", "background", "layout", "distractors", "robot_start")
KINDS = ("fog", "jpeg", "motion_blur", "noise")


def image(axis: str, level: int) -> ImageArray:
    with ambidex.make(TASK, cameras=(SCENE, WRIST), image_size=(240, 320), perturb=[f"{axis}:{level}"]) as env:
        return env.reset(SEED).image(WRIST if axis == "wrist_camera" else SCENE)


def disturbed(kind: str) -> list[ImageArray]:
    clean = image("sensor", 0)
    rng = np.random.default_rng(0)
    return [clean, *(DISTURBANCES[kind](clean, severity, rng, 240 / 256) for severity in range(LEVELS))]


def small(picture: ImageArray) -> ImageArray:
    return np.asarray(Image.fromarray(picture).resize((160, 120), Image.Resampling.LANCZOS))


rows = [[image(axis, level) for level in range(LEVELS + 1)] for axis in AXES] + [disturbed(kind) for kind in KINDS]
sheet = np.concatenate([np.concatenate([small(picture) for picture in row], axis=1) for row in rows])
Image.fromarray(sheet).save("docs/images/perturbations.jpg", quality=82)
