"""Finds the expert of a task by its name or its family, and imports it on demand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ambidex.envs.registry import MIRRORED
from ambidex.lookup import Registry, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ambidex.envs.env import Environment
    from ambidex.envs.types import Agent

EXPERTS = Registry(
    {
        "transfer_cube": "ambidex.scripted_policies.aloha.transfer_cube:TransferCubeExpert",
        "insertion": "ambidex.scripted_policies.aloha.insertion:InsertionExpert",
        "stack_both": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "hand_over_bar": "ambidex.scripted_policies.aloha.hand_over_bar:HandOverBarExpert",
        "lift_tray": "ambidex.scripted_policies.aloha.lift_tray:LiftTrayExpert",
        "plug_in": "ambidex.scripted_policies.aloha.plug_in:PlugInExpert",
        "open_box_insert": "ambidex.scripted_policies.aloha.open_box_insert:OpenBoxInsertExpert",
        "drawer_put": "ambidex.scripted_policies.aloha.drawer_put:DrawerPutExpert",
        "plates_in_rack": "ambidex.scripted_policies.aloha.plates_in_rack:PlatesInRackExpert",
        "hang_mug": "ambidex.scripted_policies.aloha.hang_mug:HangMugExpert",
        "pour_beads": "ambidex.scripted_policies.aloha.pour_beads:PourBeadsExpert",
        "unscrew_cap": "ambidex.scripted_policies.aloha.unscrew_cap:UnscrewCapExpert",
        "sweep_beads": "ambidex.scripted_policies.aloha.sweep_beads:SweepBeadsExpert",
        "remove_lid": "ambidex.scripted_policies.aloha.remove_lid:RemoveLidExpert",
        "stack_both_rbg": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "stack_both_grb": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "stack_both_gbr": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "stack_both_brg": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "stack_both_bgr": "ambidex.scripted_policies.aloha.stack_both:StackBothExpert",
        "plug_in_loose": "ambidex.scripted_policies.aloha.plug_in:PlugInExpert",
        "plug_in_tight": "ambidex.scripted_policies.aloha.plug_in:PlugInExpert",
    },
    group="ambidex.experts",
)
"""Task -> its expert."""

FAMILY_EXPERTS: Mapping[str, str] = {"libero": "ambidex.scripted_policies.libero.expert:LiberoExpert"}
"""Family -> the expert of all its tasks."""

MIRRORED_EXPERT = {MIRRORED: "ambidex.scripted_policies.mirrored:MirroredExpert"}
"""Ending of the names of mirrored tasks -> the expert of all of them."""


def make_expert(env: "Environment", *, noise: float = 0.0) -> "Agent":
    """The expert of an environment's task.

    Args:
        env: The environment that it acts in, and whose scene it may read.
        noise: Scale of the differences between demonstrations. 0: equal initial states give equal motions. 1: waypoints
            move by up to about a centimetre and speeds by about a fifth, drawn from the episode's seed.

    Raises:
        UnknownNameError: The task has no expert.
    """
    task, family = env.spec.task, env.spec.family
    if family in FAMILY_EXPERTS:
        found = resolve("family with an expert", family, FAMILY_EXPERTS)
    elif task.endswith(MIRRORED):
        found = resolve("expert", MIRRORED, MIRRORED_EXPERT)
    else:
        found = resolve("expert", task, EXPERTS)
    with env.unperturbed():  # experts read constants of the model when they are made
        return cast("Callable[..., Agent]", found)(env, noise=noise)
