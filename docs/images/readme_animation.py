"""Renders docs/images/tasks.gif, the animation of the README: `python docs/images/readme_animation.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

import ambidex
from ambidex.envs.types import ImageArray

TASKS = (("transfer_cube", "angle"), ("insertion", "angle"), ("libero_10/0", "frontview"))
RENDERED = (540, 720)
TILE = (260, 195)  # width and height
FRAMES_PER_SECOND = 8
FRAMES, LAST_FRAMES = 48, 8  # of the episode; the last one is shown longer
VIVID = 60  # difference of a pixel's channels from which it weighs more in the palette: objects are small
CROP = (slice(60, 465), slice(90, 630))  # rows and columns: the middle, where the objects are


def episode_images(task: str, camera: str) -> list[ImageArray]:
    """The expert's episode of seed 0 as images of a tile's size."""
    env = ambidex.make(task, image_size=RENDERED)
    states = ambidex.rollout(env, ambidex.make_expert(env), 0, stop_at_success=True).states
    steps = np.linspace(0, len(states) - 1, FRAMES).astype(int)
    images = [env.render(states[step], camera)[CROP] for step in steps]
    env.close()
    return [np.asarray(Image.fromarray(image).resize(TILE, Image.Resampling.LANCZOS)) for image in images]


def save_gif(images: list[ImageArray], path: Path) -> None:
    """All frames with one palette, so that the background does not flicker."""
    pixels = np.concatenate([image.reshape(-1, 3) for image in images[::6]])
    vivid = pixels[np.ptp(pixels, axis=1) > VIVID]
    sample = np.concatenate([pixels, *[vivid] * (len(pixels) // (4 * len(vivid)))])
    palette = Image.fromarray(sample[None]).quantize(256)
    frames = [Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    frames += [frames[-1]] * LAST_FRAMES
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // FRAMES_PER_SECOND, loop=0)


if __name__ == "__main__":
    tiles = zip(*(episode_images(*task) for task in TASKS), strict=True)
    save_gif([np.hstack(row) for row in tiles], Path(__file__).with_name("tasks.gif"))
