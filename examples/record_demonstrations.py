"""Record demonstrations of the scripted expert into a dataset, from one camera.

    python examples/record_demonstrations.py [OUT]

The same as the command `record-episodes --task transfer_cube --num-episodes 2 --cameras top ...`.
"""

import sys
from pathlib import Path

import ambidex


def main(out: Path) -> None:
    config = ambidex.RecordConfig(
        task="transfer_cube",
        num_episodes=2,
        cameras=("top",),
        image_size=(120, 160),
        noise=1.0,  # demonstrations differ, as those of a person do
        video="first",
        output_dir=out / "data",
        resume=True,  # an interrupted recording is completed, a complete one is left as it is
    )
    (summary,) = ambidex.record(config)  # one summary for each task; a suite has several
    print(summary)
    for file in sorted(summary.directory.rglob("*.*")):
        print(f"  {file.relative_to(out)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/record_demonstrations"))
