"""Writes assets/libero/bddl from a fact sheet of the 130 tasks (JSON: suite -> list of definitions).

    .venv/bin/python scripts/write_bddl.py libero_tasks.json

The sheet keys regions by their short names, so where two regions of a scene share one only the last is in it. The
lost one is always `top_region` of the cabinet beside a wine rack; it is put back. Order of the tasks: libero_90 as in
the sheet, the suites of ten as in LIBERO's benchmark, below.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "assets" / "libero" / "bddl"
WORKSPACES = ("table", "kitchen_table", "living_room_table", "study_table", "floor")
PREDICATES = {"Turnon": "TurnOn", "Turnoff": "TurnOff"}
SPATIAL = (
    "between_the_plate_and_the_ramekin",
    "next_to_the_ramekin",
    "from_table_center",
    "on_the_cookie_box",
    "in_the_top_drawer_of_the_wooden_cabinet",
    "on_the_ramekin",
    "next_to_the_cookie_box",
    "on_the_stove",
    "next_to_the_plate",
    "on_the_wooden_cabinet",
)
OBJECT = (
    "alphabet_soup",
    "cream_cheese",
    "salad_dressing",
    "bbq_sauce",
    "ketchup",
    "tomato_sauce",
    "butter",
    "milk",
    "chocolate_pudding",
    "orange_juice",
)
ORDERS = {
    "libero_spatial": [f"pick_up_the_black_bowl_{where}_and_place_it_on_the_plate" for where in SPATIAL],
    "libero_object": [f"pick_up_the_{what}_and_place_it_in_the_basket" for what in OBJECT],
    "libero_goal": [
        "open_the_middle_drawer_of_the_cabinet",
        "put_the_bowl_on_the_stove",
        "put_the_wine_bottle_on_top_of_the_cabinet",
        "open_the_top_drawer_and_put_the_bowl_inside",
        "put_the_bowl_on_top_of_the_cabinet",
        "push_the_plate_to_the_front_of_the_stove",
        "put_the_cream_cheese_in_the_bowl",
        "turn_on_the_stove",
        "put_the_bowl_on_the_plate",
        "put_the_wine_bottle_on_the_rack",
    ],
    "libero_10": [
        "LIVING_ROOM_SCENE2_put_both_the_alphabet_soup_and_the_tomato_sauce_in_the_basket",
        "LIVING_ROOM_SCENE2_put_both_the_cream_cheese_box_and_the_butter_in_the_basket",
        "KITCHEN_SCENE3_turn_on_the_stove_and_put_the_moka_pot_on_it",
        "KITCHEN_SCENE4_put_the_black_bowl_in_the_bottom_drawer_of_the_cabinet_and_close_it",
        "LIVING_ROOM_SCENE5_put_the_white_mug_on_the_left_plate_and_put_the_yellow_and_white_mug_on_the_right_plate",
        "STUDY_SCENE1_pick_up_the_book_and_place_it_in_the_back_compartment_of_the_caddy",
        "LIVING_ROOM_SCENE6_put_the_white_mug_on_the_plate_and_put_the_chocolate_pudding_to_the_right_of_the_plate",
        "LIVING_ROOM_SCENE1_put_both_the_alphabet_soup_and_the_cream_cheese_box_in_the_basket",
        "KITCHEN_SCENE8_put_both_moka_pots_on_the_stove",
        "KITCHEN_SCENE6_put_the_yellow_and_white_mug_in_the_microwave_and_close_it",
    ],
}
Facts = dict[str, Any]


def main() -> None:
    sheet: dict[str, list[Facts]] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    orders = {suite: ORDERS.get(suite, [task["name"] for task in sheet[suite]]) for suite in [*ORDERS, "libero_90"]}
    for suite, names in orders.items():
        tasks = {task["name"]: task for task in sheet[suite]}
        assert sorted(tasks) == sorted(names), suite
        (TARGET / suite).mkdir(parents=True, exist_ok=True)
        for name in names:
            (TARGET / suite / f"{name}.bddl").write_text(definition(tasks[name]), encoding="utf-8")
    (TARGET / "suites.json").write_text(json.dumps(orders, indent=2) + "\n", encoding="utf-8")


def definition(task: Facts) -> str:
    regions = "\n".join(region(name, facts) for name, facts in all_regions(task))
    return f"""(define (problem {task["problem"]})
  (:domain robosuite)
  (:language {task["language"]})

  (:regions
{regions})

  (:fixtures
{declarations(task["fixtures"])})

  (:objects
{declarations(task["objects"])})

  (:obj_of_interest
    {" ".join(task["obj_of_interest"])})

  (:init
{atoms(task["init"])})

  (:goal
    (And
{atoms(task["goal"][1:], "      ")})))
"""


def all_regions(task: Facts) -> list[tuple[str, Facts]]:
    """The sheet's regions, and what it lost: the cabinet's region of the same name goes before the rack's."""
    found = list(task["regions"].items())
    rack = ("top_region", {"target": "wine_rack_1"})
    cabinets = [name for name, category in task["fixtures"].items() if category in ("wooden_cabinet", "white_cabinet")]
    if rack in found and cabinets:
        found.insert(found.index(rack), ("top_region", {"target": cabinets[0]}))
    return found


def region(name: str, facts: Facts) -> str:
    parts = [f"(:target {facts['target']})"]
    if "range_xyxy_m" in facts:
        parts.append(f"(:ranges (({row(facts['range_xyxy_m'])})))")
    if "yaw_rad" in facts:
        parts.append(f"(:yaw_rotation (({row(facts['yaw_rad'])})))")
    return f"    ({name} {' '.join(parts)})"


def row(numbers: list[float]) -> str:
    """Lengths and angles to a tenth of a nanometre: the sheet carries rounding noise of its source."""
    return " ".join(repr(round(number, 10) + 0.0) for number in numbers)


def declarations(instances: dict[str, str]) -> str:
    lines = []
    for category in dict.fromkeys(instances.values()):
        lines.append(f"    {' '.join(n for n, c in instances.items() if c == category)} - {category}")
    return "\n".join(lines)


def atoms(found: list[list[str]], indent: str = "    ") -> str:
    return "\n".join(f"{indent}({' '.join([PREDICATES.get(atom[0], atom[0]), *atom[1:]])})" for atom in found)


if __name__ == "__main__":
    main()
