"""Makes event.jpg: the images of an agent before and after an event: `python docs/images/event_picture.py`."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

import ambidex
from ambidex.envs.perturbations.registry import event_step
from ambidex.envs.types import ImageArray
from ambidex.scripted_policies.registry import make_expert

EPISODES = {("transfer_cube", "top"): (36, 82), ("libero_goal/1", "agentview"): (24, 47)}
"""Task and camera -> seeds of events with the axes camera and light."""


def rows(task: str, camera: str, seeds: tuple[int, ...]) -> Iterator[ImageArray]:
    with ambidex.make(task, cameras=camera, image_size=(144, 192), perturb="event:4") as env:
        expert = make_expert(env)
        for seed in seeds:
            result = ambidex.rollout(env, expert, seed, stop_at_success=True)
            step, last = event_step(result.perturbed) or 0, result.steps
            env.perturb(seed, event_step=step)
            shown = (0, step - 1, step, min(step + 30, last), last)
            yield np.hstack([env.image_at(result.states, at, camera) for at in shown])


sheet = np.vstack([row for (task, camera), seeds in EPISODES.items() for row in rows(task, camera, seeds)])
Image.fromarray(sheet).save("docs/images/event.jpg", quality=82)
