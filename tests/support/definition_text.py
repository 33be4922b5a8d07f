"""A definition that tests of the BDDL reader modify."""

import pytest

from ambidex.envs.tasks.libero.bddl.reader import parse_problem
from ambidex.errors import DefinitionError

TEXT = """\
(define (problem LIBERO_Kitchen_Tabletop_Manipulation)
  (:domain robosuite)
  (:language put the bowl in the drawer)
  (:regions
    (left_region (:target kitchen_table) (:ranges ((-0.1 0.0 0.1 0.2))) (:yaw_rotation ((0.0 pi/2))))
    (back_region (:target kitchen_table) (:ranges ((-0.1 -0.3 0.1 -0.2))))
    (top_region (:target white_cabinet_1))
    (top_side (:target white_cabinet_1))
    (right_region (:target bowl_drainer_1)))
  (:fixtures kitchen_table - kitchen_table
             white_cabinet_1 - white_cabinet)
  (:objects akita_black_bowl_1 akita_black_bowl_2 - akita_black_bowl plate_1 - plate)
  (:obj_of_interest akita_black_bowl_1 white_cabinet_1)
  (:init
    (On akita_black_bowl_1 kitchen_table_left_region)
    (On akita_black_bowl_2 plate_1)
    (On plate_1 kitchen_table_left_region)
    (On white_cabinet_1 kitchen_table_back_region)
    (Open white_cabinet_1_top_region))
  (:goal (And (In akita_black_bowl_1 white_cabinet_1_top_region) (Close white_cabinet_1_top_region))))
"""


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1)


def error(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_problem(text, source="my.bddl")
    return caught.value
