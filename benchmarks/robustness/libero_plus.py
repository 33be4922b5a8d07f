"""`--suite robustness --protocol libero_plus`: the axes of LIBERO-plus, each with as many episodes as it has variants.

Source: arXiv 2510.13626, task_classification.json of sylvestf/LIBERO-plus at 4976dc3, counted. LIBERO-plus runs each of
10,030 variants once. What it draws is known of three axes; of the others only how many variants there are, so ours
stand in, at all levels equally often. How they run an episode is not known here; it is run as by the protocol openvla.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ambidex.envs.perturbations.perturbation import LEVELS, LIBERO_PLUS, Level
from ambidex.envs.perturbations.registry import LIBERO_PLUS_AXES
from ambidex.errors import UsageError, check_name
from ambidex.text import first_few

EPISODES_AS = "openvla"
"""The protocol of single episodes."""
SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10")
TASKS_EACH = 10  # of a suite
ORDER = (3, 2, 4, 1, 5)
"""Levels in the order in which they get the episodes that are left after all got the same number."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """One axis of LIBERO-plus.

    Attributes:
        name: Its name there.
        axes: Our axes -> their shares of its variants, in any unit.
        variants: How many variants it has in each of `SUITES`.
    """

    name: str
    axes: Mapping[str, int]
    variants: tuple[int, int, int, int]


CATEGORIES = (
    Category(name="Camera Viewpoints", axes={"camera": 1}, variants=(376, 396, 408, 419)),
    Category(name="Robot Initial States", axes={"robot_start": 1}, variants=(350, 398, 409, 393)),
    Category(name="Language Instructions", axes={"language": 1}, variants=(390, 354, 410, 383)),
    Category(name="Light Conditions", axes={"light": 1}, variants=(292, 297, 279, 274)),
    Category(name="Background Textures", axes={"background": 1}, variants=(258, 248, 281, 289)),
    Category(name="Sensor Noise", axes={"sensor": 1}, variants=(351, 422, 379, 449)),
    # 829 variants have more objects and 696 have moved ones, in all suites together.
    Category(name="Objects Layout", axes={"distractors": 829, "layout": 696}, variants=(385, 403, 425, 312)),
)
TOTAL = sum(sum(category.variants) for category in CATEGORIES)
AXIS_OF = {axis: category for category in CATEGORIES for axis in category.axes}
"""Our axis -> the one of LIBERO-plus."""
FULL = round(TOTAL / len(CATEGORIES) / len(SUITES) / TASKS_EACH)
"""`--episodes` for as many episodes as LIBERO-plus has."""


def variants_suite(task: str) -> str:
    """The suite of a task, or of all its tasks.

    Raises:
        UsageError: LIBERO-plus has no variants of it.
    """
    suite = task.partition("/")[0]
    if suite not in SUITES or task.endswith(".bddl"):
        problem = f"--protocol {LIBERO_PLUS}: LIBERO-plus has no variants of {task}, only of {', '.join(SUITES)}."
        raise UsageError(problem, f"Give --task {SUITES[2]}, for example.", got=task, expected=SUITES)
    return suite


def axes_with_their_levels(axes: Sequence[str] | None, levels: Sequence[int]) -> dict[str, tuple[Level, ...]]:
    """Axis -> its levels, of those that are chosen; None for all.

    Raises:
        UnknownNameError: LIBERO-plus has no such axis.
        UsageError: Levels are given.
    """
    for axis in axes or ():
        check_name(f"axis of --protocol {LIBERO_PLUS}", axis, AXIS_OF)
    if levels:
        problem = f"--levels {first_few([str(level) for level in levels])} does not go with --protocol {LIBERO_PLUS}."
        raise UsageError(problem, "Leave --levels out: the protocol has its own.", got=levels)
    chosen = [axis for axis in AXIS_OF if axis in (axes or AXIS_OF)]
    numbered: tuple[Level, ...] = tuple(range(1, LEVELS + 1))
    return {axis: (LIBERO_PLUS,) if axis in LIBERO_PLUS_AXES else numbered for axis in chosen}


def episodes_of(axis: str, level: Level, suite: str, each: int) -> int:
    """Episodes of each task, proportional to LIBERO-plus's variants of this axis in this suite.

    `each` is their mean over the seven axes and four suites.
    """
    category = AXIS_OF[axis]
    share = category.axes[axis] / sum(category.axes.values())
    mean = TOTAL / len(CATEGORIES) / len(SUITES)
    of_axis = round(each * share * category.variants[SUITES.index(suite)] / mean)
    if level == LIBERO_PLUS:
        return of_axis
    return of_axis // LEVELS + (ORDER.index(level) < of_axis % LEVELS)
