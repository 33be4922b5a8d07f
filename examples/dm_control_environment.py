"""Use a task through the dm_env interface, with the physics of dm_control.

    python examples/dm_control_environment.py [OUT]

On a machine with a display, `dm_control.viewer.launch(environment)` shows it.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ambidex.envs.wrappers.dm_control_env import DmControlEnvironment


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    environment = DmControlEnvironment("insertion", cameras=("top",), image_size=(120, 160))
    limits = environment.action_spec()
    print(f"{limits.shape[0]} actions:", ", ".join(limits.name.split("\t")[:3]), "...")
    rng = np.random.default_rng(0)
    time_step = environment.reset()
    while not time_step.last() and environment.physics.time() < 1.0:
        time_step = environment.step(rng.uniform(limits.minimum, limits.maximum).astype(limits.dtype))
    print(f"{environment.physics.time():.2f} s simulated, reward {time_step.reward}")
    print("Peg at", environment.physics.named.data.xpos["peg"].round(3), "m")
    Image.fromarray(time_step.observation["top"]).save(out / "top.png")
    environment.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/dm_control_environment"))
