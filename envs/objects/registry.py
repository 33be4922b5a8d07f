"""The table of categories: which module makes the model of each object and fixture."""

from collections.abc import Callable, Mapping
from functools import cache

import mujoco

from ambidex.lookup import resolve

MODULES: Mapping[str, tuple[str, ...]] = {
    "bottles": ("bbq_sauce", "ketchup", "new_salad_dressing", "salad_dressing", "wine_bottle"),
    "containers": ("basket", "black_book", "wooden_tray", "yellow_book"),
    "cookware": ("chefmate_8_frypan", "moka_pot"),
    "dishes": (
        *("akita_black_bowl", "glazed_rim_porcelain_ramekin", "plate", "white_bowl"),
        *("porcelain_mug", "red_coffee_mug", "white_yellow_mug"),
    ),
    "packages": (
        *("butter", "chocolate_pudding", "cookies", "cream_cheese"),
        *("alphabet_soup", "milk", "orange_juice", "tomato_sauce"),
    ),
    "fixtures.appliances": ("flat_stove", "microwave"),
    "fixtures.cabinet": ("white_cabinet", "wooden_cabinet"),
    "fixtures.racks": ("desk_caddy", "wine_rack", "wooden_two_layer_shelf"),
}
"""Module -> categories; each has a function of its name in the module."""
OBJECTS: Mapping[str, str] = {
    category: f"ambidex.envs.objects.{module}:{category}" for module, names in MODULES.items() for category in names
}


@cache
def _model(category: str) -> mujoco.MjSpec:
    make: Callable[[], mujoco.MjSpec] = resolve("object category", category, OBJECTS)  # type: ignore[assignment]
    return make()


def object_spec(category: str) -> mujoco.MjSpec:
    """A new model of a category: one top body named "main" without a free joint, names without a prefix.

    Raises:
        UnknownNameError: No such category; lists the known ones.
    """
    return _model(category).copy()
