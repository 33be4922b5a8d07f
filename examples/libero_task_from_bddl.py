"""Make a task of your own from a BDDL definition in LIBERO's format, and let the expert solve it.

    python examples/libero_task_from_bddl.py [OUT]

Scene, initial states, success criterion, stages and expert follow from the text. No Python is needed for a new task:
`record-episodes --bddl-file` and `run-benchmark --bddl-file` take the file too.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import ambidex

DEFINITION = """
(define (problem LIBERO_Tabletop_Manipulation)
  (:domain robosuite)
  (:language put the bowl on the plate)
  (:regions
    (bowl_region (:target main_table) (:ranges ((-0.10 -0.20 -0.06 -0.16))))
    (plate_region (:target main_table) (:ranges ((0.00 0.10 0.04 0.14))))
  )
  (:fixtures main_table - table)
  (:objects akita_black_bowl_1 - akita_black_bowl plate_1 - plate)
  (:obj_of_interest akita_black_bowl_1 plate_1)
  (:init
    (On akita_black_bowl_1 main_table_bowl_region)
    (On plate_1 main_table_plate_region)
  )
  (:goal (And (On akita_black_bowl_1 plate_1)))
)
"""


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "put_the_bowl_on_the_plate.bddl"
    file.write_text(DEFINITION)
    env = ambidex.make(str(file), image_size=(256, 256))
    print(env)
    print(f"{env.spec.instruction!r}, stages: {', '.join(env.spec.stages[1:])}")
    result = ambidex.rollout(env, ambidex.make_expert(env), seed=0)
    print(result)
    images = [env.render(state, "frontview") for state in (result.states[0], result.states[-1])]
    Image.fromarray(np.concatenate(images, axis=1)).save(out / "first_and_last.png")
    print(f"The first and the last step: {out / 'first_and_last.png'}")
    env.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/libero_task_from_bddl"))
