"""Contacts between groups of geoms and between bodies with everything attached to them."""

import mujoco
import pytest

from ambidex.envs.simulation.contacts import Contacts, subtree_geoms
from ambidex.errors import UnknownNameError

WORLD = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 .1"/>
    <body name="table" pos="0 0 .5"><geom size=".1 .1 .1" type="box"/>
      <body name="drawer" pos=".3 0 0"><joint type="slide"/><geom name="box" size=".1 .1 .1" type="box"/></body>
    </body>
    <body name="ball" pos=".3 0 .649"><freejoint/><geom name="ball" size=".05"/></body>
  </worldbody>
</mujoco>
"""

APART = """
<mujoco>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 .1"/>
    <body pos="0 0 .0999"><freejoint/><geom name="left" size=".1 .1 .1" type="box"/></body>
    <body pos=".5 0 .0999"><freejoint/><geom name="right" size=".1 .1 .1" type="box"/></body>
    <body pos="0 0 .2498"><freejoint/><geom name="ball" size=".05"/></body>
  </worldbody>
</mujoco>
"""


def test_contacts_of_a_body_include_attached_bodies() -> None:
    model = mujoco.MjModel.from_xml_string(WORLD)
    data = mujoco.MjData(model)
    contacts = Contacts(model, data, {"ball": [model.geom("ball").id], "box": [model.geom("box").id]})
    mujoco.mj_forward(model, data)
    assert contacts.bodies_touch("table", "ball") and contacts.bodies_touch("ball", "drawer")
    assert contacts.groups_touch("ball", "box") and contacts.groups_touch("box", "ball")
    data.joint(1).qpos[2] += 0.01
    mujoco.mj_forward(model, data)
    assert contacts.bodies_touch("table", "ball")  # still of the last state
    contacts.invalidate()
    assert not contacts.bodies_touch("table", "ball") and not contacts.groups_touch("box", "ball")


def test_groups_that_touch_others_do_not_touch_each_other() -> None:
    """The ball lies on one box and not on the other, which stands on the floor."""
    model = mujoco.MjModel.from_xml_string(APART)
    data = mujoco.MjData(model)
    names = ("floor", "left", "right", "ball")
    contacts = Contacts(model, data, {name: [model.geom(name).id] for name in names})
    mujoco.mj_forward(model, data)
    touching = {(a, b) for a in names for b in names if contacts.groups_touch(a, b)}
    pairs = {("floor", "left"), ("floor", "right"), ("left", "ball")}
    assert touching == pairs | {(b, a) for a, b in pairs}


def test_an_unknown_body_is_an_error_that_lists_them() -> None:
    model = mujoco.MjModel.from_xml_string(WORLD)
    assert subtree_geoms(model, "world").all()
    with pytest.raises(UnknownNameError) as caught:
        subtree_geoms(model, "bal")
    assert caught.value.facts["kind"] == "body" and "drawer" in caught.value.facts["expected"]
