"""Renders docs/images/libero.jpg, a task of each arena from both cameras: `python docs/images/libero_picture.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

import ambidex

TASKS = ("libero_goal/1", "libero_object/0", "libero_10/9", "libero_10/0", "libero_10/5")


def main() -> None:
    columns = []
    for task in TASKS:
        env = ambidex.make(task, image_size=(288, 288))
        columns.append(np.concatenate(list(env.reset(0).images().values())))
        env.close()
    picture = Image.fromarray(np.concatenate(columns, axis=1))
    picture.save(Path(__file__).with_name("libero.jpg"), quality=90, optimize=True)


if __name__ == "__main__":
    main()
