"""Render stored episodes again: a camera and a quality that were not recorded.

    python examples/render_another_camera.py [OUT]

A rollout keeps the full state of the simulator at every step, so any camera can be rendered afterwards. The command
`render-episodes` does the same for a whole dataset.
"""

import sys
from pathlib import Path

from PIL import Image

import ambidex


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    blind = ambidex.make("transfer_cube", cameras=())
    result = ambidex.rollout(blind, ambidex.make_expert(blind), seed=0)  # renders nothing
    print(result)

    env = ambidex.make("transfer_cube", render_quality="studio", image_size=(360, 480))
    print("Cameras:", ", ".join(env.scene.camera_names))
    for step in (200, 280):
        image = env.render(result.states[step], "front_close")
        path = out / f"front_close_{step}.png"
        Image.fromarray(image).save(path)
        print(f"Step {step}: {path}")
    env.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/render_another_camera"))
