"""Read a dataset: its description, the arrays of an episode, and single images.

    python examples/read_a_dataset.py [OUT]

Records two episodes first, to have something to read. h5py alone reads the files too; docs/datasets.md describes them.
"""

import sys
from pathlib import Path

from PIL import Image

import ambidex


def main(out: Path) -> None:
    ambidex.record(
        ambidex.RecordConfig(
            task="insertion", num_episodes=2, cameras=("top", "left_wrist"), image_size=(120, 160),
            output_dir=out / "data", resume=True, quiet=True,
        )
    )  # fmt: skip
    dataset = ambidex.read(out / "data")
    print(dataset)
    print(f"{dataset.spec.instruction!r} at {dataset.spec.control_hz:g} Hz; seeds tried:")
    for attempt in dataset.attempts:
        print(f"  seed {attempt.seed}: {attempt.outcome}, {attempt.steps} steps")
    with dataset[0] as stored:
        episode = stored.episode  # all arrays at once, without images
        for name in ("qpos", "qvel", "objects", "joint_actions", "ee_actions", "states", "stages"):
            array = getattr(episode, name)
            print(f"  {name:13} {array.shape!s:10} {array.dtype}")
        for camera in stored.cameras:  # images are decoded one by one
            Image.fromarray(stored.frame(camera, 200)).save(out / f"{camera}_200.png")
    print(f"Images of step 200 are in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/read_a_dataset"))
