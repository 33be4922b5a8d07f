"""Categories of objects and the functions that make their models."""

from collections.abc import Callable, Mapping
from functools import cache

import mujoco

from ambidex.envs.registry import resolve

_FREE = "ambidex.envs.objects"
_FIXED = "ambidex.envs.objects.fixtures"
OBJECTS: Mapping[str, str] = {
    "akita_black_bowl": f"{_FREE}.bowls:akita_black_bowl",
    "white_bowl": f"{_FREE}.bowls:white_bowl",
    "glazed_rim_porcelain_ramekin": f"{_FREE}.bowls:glazed_rim_porcelain_ramekin",
    "plate": f"{_FREE}.plate:plate",
    "cookies": f"{_FREE}.boxes:cookies",
    "butter": f"{_FREE}.boxes:butter",
    "cream_cheese": f"{_FREE}.boxes:cream_cheese",
    "chocolate_pudding": f"{_FREE}.boxes:chocolate_pudding",
    "milk": f"{_FREE}.cartons:milk",
    "orange_juice": f"{_FREE}.cartons:orange_juice",
    "alphabet_soup": f"{_FREE}.cans:alphabet_soup",
    "tomato_sauce": f"{_FREE}.cans:tomato_sauce",
    "bbq_sauce": f"{_FREE}.bottles:bbq_sauce",
    "ketchup": f"{_FREE}.bottles:ketchup",
    "salad_dressing": f"{_FREE}.bottles:salad_dressing",
    "new_salad_dressing": f"{_FREE}.bottles:new_salad_dressing",
    "wine_bottle": f"{_FREE}.wine_bottle:wine_bottle",
    "basket": f"{_FREE}.containers:basket",
    "wooden_tray": f"{_FREE}.containers:wooden_tray",
    "moka_pot": f"{_FREE}.moka_pot:moka_pot",
    "chefmate_8_frypan": f"{_FREE}.frypan:chefmate_8_frypan",
    "porcelain_mug": f"{_FREE}.mugs:porcelain_mug",
    "white_yellow_mug": f"{_FREE}.mugs:white_yellow_mug",
    "red_coffee_mug": f"{_FREE}.mugs:red_coffee_mug",
    "black_book": f"{_FREE}.books:black_book",
    "yellow_book": f"{_FREE}.books:yellow_book",
    "wooden_cabinet": f"{_FIXED}.cabinet:wooden_cabinet",
    "white_cabinet": f"{_FIXED}.cabinet:white_cabinet",
    "flat_stove": f"{_FIXED}.flat_stove:flat_stove",
    "microwave": f"{_FIXED}.microwave:microwave",
    "wine_rack": f"{_FIXED}.wine_rack:wine_rack",
    "desk_caddy": f"{_FIXED}.desk_caddy:desk_caddy",
    "wooden_two_layer_shelf": f"{_FIXED}.wooden_two_layer_shelf:wooden_two_layer_shelf",
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
