"""Pictures of a task for its page: the initial state, and the expert from the start to success."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import ImageArray, RolloutResult
from ambidex.errors import UsageError
from ambidex.scripted_policies.registry import make_expert

CAMERAS = {"aloha": "angle", "libero": "agentview"}
"""Family -> the camera of the pictures."""
SIZES = {"aloha": (360, 480), "libero": (256, 256)}
"""Family -> height and width of the picture [px]."""
FRAMES, FRAMES_IN_ROW, FRAME_HEIGHT = 8, 4, 180  # of the expert's picture; height in pixels
QUALITY = 82  # of JPEG files
AFTER = 10  # control steps of the strip after the last stage is reached


@dataclass(frozen=True, kw_only=True)
class TaskPictures:
    """Names of a task's pictures, relative to the folder of the pages.

    Attributes:
        start: The initial state of seed 0.
        expert: `FRAMES` frames of the expert's episode, evenly spaced until success.
    """

    start: str
    expert: str


def pictures_of(task: str, folder: Path) -> TaskPictures:
    """The pictures of a task that exist in a folder.

    Raises:
        UsageError: There are none.
    """
    name = task.replace("/", "-")
    pictures = TaskPictures(start=f"images/{name}.jpg", expert=f"images/{name}-expert.jpg")
    if missing := [file for file in (pictures.start, pictures.expert) if not (folder / file).is_file()]:
        problem = f"{folder} has no {' and no '.join(missing)}."
        raise UsageError(problem, "Render them: leave --no-pictures out.", path=folder, missing=missing)
    return pictures


def draw_task(task: str, folder: Path) -> TaskPictures:
    """Roll out the expert with seed 0, and write its pictures into `folder`/images."""
    with make(task, cameras=()) as env:
        family, result = env.spec.family, rollout(env, make_expert(env), 0)
    with make(task, cameras=(CAMERAS[family],), image_size=SIZES[family]) as env:
        env.reset(0)
        frames = [env.render(result.states[step], CAMERAS[family]) for step in _steps_until_success(result)]
    name = task.replace("/", "-")
    _save(frames[0], folder / f"images/{name}.jpg")
    _save(_sheet(frames), folder / f"images/{name}-expert.jpg")
    return pictures_of(task, folder)


def _steps_until_success(result: RolloutResult) -> list[int]:
    """Steps evenly spaced from the start until shortly after the last stage is reached."""
    reached = int(np.argmax(result.stages == result.stages.max()))
    end = min(len(result.states) - 1, reached + AFTER)
    return [int(step) for step in np.linspace(0, end, FRAMES).round()]


def _sheet(frames: list[ImageArray]) -> ImageArray:
    small = [_small(frame) for frame in frames]
    rows = [small[i : i + FRAMES_IN_ROW] for i in range(0, len(small), FRAMES_IN_ROW)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _small(frame: ImageArray) -> ImageArray:
    height, width, _ = frame.shape
    size = (round(width * FRAME_HEIGHT / height), FRAME_HEIGHT)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


def _save(image: ImageArray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, quality=QUALITY)
