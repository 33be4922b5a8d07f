"""Categories of objects and the functions that make their models."""

from collections.abc import Callable, Mapping
from functools import cache

import mujoco

from ambidex.lookup import resolve

_FREE = "ambidex.envs.objects"
_FIXED = "ambidex.envs.objects.fixtures"
OBJECTS: Mapping[str, str] = {
    "akita_black_bowl": f"{_FREE}.dishes:akita_black_bowl",
    "white_bowl": f"{_FREE}.dishes:white_bowl",
    "glazed_rim_porcelain_ramekin": f"{_FREE}.dishes:glazed_rim_porcelain_ramekin",
    "plate": f"{_FREE}.dishes:plate",
    "cookies": f"{_FREE}.packages:cookies",
    "butter": f"{_FREE}.packages:butter",
    "cream_cheese": f"{_FREE}.packages:cream_cheese",
    "chocolate_pudding": f"{_FREE}.packages:chocolate_pudding",
    "milk": f"{_FREE}.packages:milk",
    "orange_juice": f"{_FREE}.packages:orange_juice",
    "alphabet_soup": f"{_FREE}.packages:alphabet_soup",
    "tomato_sauce": f"{_FREE}.packages:tomato_sauce",
    "bbq_sauce": f"{_FREE}.bottles:bbq_sauce",
    "ketchup": f"{_FREE}.bottles:ketchup",
    "salad_dressing": f"{_FREE}.bottles:salad_dressing",
    "new_salad_dressing": f"{_FREE}.bottles:new_salad_dressing",
    "wine_bottle": f"{_FREE}.bottles:wine_bottle",
    "basket": f"{_FREE}.containers:basket",
    "wooden_tray": f"{_FREE}.containers:wooden_tray",
    "moka_pot": f"{_FREE}.cookware:moka_pot",
    "chefmate_8_frypan": f"{_FREE}.cookware:chefmate_8_frypan",
    "porcelain_mug": f"{_FREE}.dishes:porcelain_mug",
    "white_yellow_mug": f"{_FREE}.dishes:white_yellow_mug",
    "red_coffee_mug": f"{_FREE}.dishes:red_coffee_mug",
    "black_book": f"{_FREE}.containers:black_book",
    "yellow_book": f"{_FREE}.containers:yellow_book",
    "wooden_cabinet": f"{_FIXED}.cabinet:wooden_cabinet",
    "white_cabinet": f"{_FIXED}.cabinet:white_cabinet",
    "flat_stove": f"{_FIXED}.appliances:flat_stove",
    "microwave": f"{_FIXED}.appliances:microwave",
    "wine_rack": f"{_FIXED}.racks:wine_rack",
    "desk_caddy": f"{_FIXED}.racks:desk_caddy",
    "wooden_two_layer_shelf": f"{_FIXED}.racks:wooden_two_layer_shelf",
}


def object_spec(category: str) -> mujoco.MjSpec:
    """A fresh model of a category: one body named "main" without a free joint, names without a prefix.

    Raises:
        UnknownNameError: There is no such category; the message says which there are.
    """
    return _made(category).copy()


@cache
def _made(category: str) -> mujoco.MjSpec:
    make: Callable[[], mujoco.MjSpec] = resolve("object category", category, OBJECTS)  # type: ignore[assignment]
    return make()
