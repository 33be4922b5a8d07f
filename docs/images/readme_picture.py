"""Renders docs/images/aloha.png, the picture of the README: `python docs/images/readme_picture.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import ImageArray
from ambidex.scripted_policies.registry import make_expert

MOMENTS = (("transfer_cube", 258, "angle"), ("insertion", 250, "angle"))
SIZE = (540, 720)
CROP = (20, 440)  # rows: the table's front edge and the floor add nothing


def picture(task: str, step: int, camera: str) -> ImageArray:
    """One moment of the expert's episode 1, in studio quality."""
    env = make(task, image_size=SIZE, render_quality="studio")
    result = rollout(env, make_expert(env), 1)
    frame = env.render(result.states[step], camera)[slice(*CROP)]
    env.close()
    return frame


if __name__ == "__main__":
    tiles = np.hstack([picture(*moment) for moment in MOMENTS])
    Image.fromarray(tiles).save(Path(__file__).with_name("aloha.png"), optimize=True)
