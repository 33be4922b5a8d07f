"""The table of categories: which function makes the model of each object and fixture."""

from collections.abc import Callable, Mapping
from functools import cache

import mujoco

from ambidex.lookup import resolve

_OBJECTS = "ambidex.envs.objects"
_FIXTURES = "ambidex.envs.objects.fixtures"
OBJECTS: Mapping[str, str] = {
    "akita_black_bowl": f"{_OBJECTS}.dishes:akita_black_bowl",
    "white_bowl": f"{_OBJECTS}.dishes:white_bowl",
    "glazed_rim_porcelain_ramekin": f"{_OBJECTS}.dishes:glazed_rim_porcelain_ramekin",
    "plate": f"{_OBJECTS}.dishes:plate",
    "cookies": f"{_OBJECTS}.packages:cookies",
    "butter": f"{_OBJECTS}.packages:butter",
    "cream_cheese": f"{_OBJECTS}.packages:cream_cheese",
    "chocolate_pudding": f"{_OBJECTS}.packages:chocolate_pudding",
    "milk": f"{_OBJECTS}.packages:milk",
    "orange_juice": f"{_OBJECTS}.packages:orange_juice",
    "alphabet_soup": f"{_OBJECTS}.packages:alphabet_soup",
    "tomato_sauce": f"{_OBJECTS}.packages:tomato_sauce",
    "bbq_sauce": f"{_OBJECTS}.bottles:bbq_sauce",
    "ketchup": f"{_OBJECTS}.bottles:ketchup",
    "salad_dressing": f"{_OBJECTS}.bottles:salad_dressing",
    "new_salad_dressing": f"{_OBJECTS}.bottles:new_salad_dressing",
    "wine_bottle": f"{_OBJECTS}.bottles:wine_bottle",
    "basket": f"{_OBJECTS}.containers:basket",
    "wooden_tray": f"{_OBJECTS}.containers:wooden_tray",
    "moka_pot": f"{_OBJECTS}.cookware:moka_pot",
    "chefmate_8_frypan": f"{_OBJECTS}.cookware:chefmate_8_frypan",
    "porcelain_mug": f"{_OBJECTS}.dishes:porcelain_mug",
    "white_yellow_mug": f"{_OBJECTS}.dishes:white_yellow_mug",
    "red_coffee_mug": f"{_OBJECTS}.dishes:red_coffee_mug",
    "black_book": f"{_OBJECTS}.containers:black_book",
    "yellow_book": f"{_OBJECTS}.containers:yellow_book",
    "wooden_cabinet": f"{_FIXTURES}.cabinet:wooden_cabinet",
    "white_cabinet": f"{_FIXTURES}.cabinet:white_cabinet",
    "flat_stove": f"{_FIXTURES}.appliances:flat_stove",
    "microwave": f"{_FIXTURES}.appliances:microwave",
    "wine_rack": f"{_FIXTURES}.racks:wine_rack",
    "desk_caddy": f"{_FIXTURES}.racks:desk_caddy",
    "wooden_two_layer_shelf": f"{_FIXTURES}.racks:wooden_two_layer_shelf",
}


def object_spec(category: str) -> mujoco.MjSpec:
    """A new model of a category: one top body named "main" without a free joint, names without a prefix.

    Raises:
        UnknownNameError: No such category; lists the known ones.
    """
    return _made(category).copy()


@cache
def _made(category: str) -> mujoco.MjSpec:
    make: Callable[[], mujoco.MjSpec] = resolve("object category", category, OBJECTS)  # type: ignore[assignment]
    return make()
