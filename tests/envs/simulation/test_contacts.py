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


def test_an_unknown_body_is_an_error_that_lists_them() -> None:
    model = mujoco.MjModel.from_xml_string(WORLD)
    assert subtree_geoms(model, "world").all()
    with pytest.raises(UnknownNameError) as caught:
        subtree_geoms(model, "bal")
    assert caught.value.facts["kind"] == "body" and "drawer" in caught.value.facts["expected"]
