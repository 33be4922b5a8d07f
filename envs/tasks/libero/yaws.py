"""How far things are turned about the vertical when an episode starts."""

import math
from collections.abc import Mapping

Yaw = tuple[float, float]

QUARTER = (math.pi / 2, math.pi / 2)
HALF = (math.pi, math.pi)
MUG = (-math.pi / 2, -math.pi / 2)
BOOK = (-3 * math.pi / 4, -math.pi / 2)

# LIBERO gives every category a rotation about x, and writes its quaternion in the other order of components: what
# comes out is a turn about the vertical, by pi less the angle.
START_YAWS: Mapping[str, Yaw] = {
    **dict.fromkeys(
        (
            "alphabet_soup",
            "bbq_sauce",
            "butter",
            "chocolate_pudding",
            "cookies",
            "cream_cheese",
            "ketchup",
            "milk",
            "new_salad_dressing",
            "orange_juice",
            "salad_dressing",
            "tomato_sauce",
        ),
        QUARTER,
    ),
    **dict.fromkeys(("porcelain_mug", "red_coffee_mug", "white_yellow_mug"), MUG),
    **dict.fromkeys(("black_book", "yellow_book"), BOOK),
}


def start_yaw(category: str) -> Yaw:
    """Lowest and highest yaw [rad] of an object; all objects of most categories start alike."""
    return START_YAWS.get(category, HALF)
