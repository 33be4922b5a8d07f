"""Run the scripted expert of a task, step by step, and save a strip of images of the episode.

    python examples/run_an_expert.py [OUT]

`ambidex.rollout` is this loop, and records everything.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import ambidex


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    env = ambidex.make("insertion", cameras=("angle",), image_size=(240, 320))
    expert = ambidex.make_expert(env)
    observation = env.reset(seed=0)
    expert.reset(observation, seed=0)
    images, stage = [observation.image("angle")], 0
    for t in range(env.spec.horizon):
        step = env.step(expert.act(observation))
        observation = step.observation
        if step.stage > stage:
            stage = step.stage
            print(f"{observation.time:5.2f} s: {env.spec.stages[stage]}")
            images.append(observation.image("angle"))  # rendered now, and only because it is asked for
        if step.success:
            print(f"{observation.time:5.2f} s: success after {t + 1} steps")
            break
    Image.fromarray(np.concatenate(images, axis=1)).save(out / "stages.png")
    print(f"An image of each stage reached: {out / 'stages.png'}")
    env.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/run_an_expert"))
