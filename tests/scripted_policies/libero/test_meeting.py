"""Two sides meet where a model lets them collide, and masks for which there is no room are refused."""

import mujoco
import numpy as np
import pytest

from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.lookahead.collision import Meeting

BALLS = """<mujoco><worldbody>
<body name="one"><freejoint/><geom name="ball" size="0.1" contype="{contype}" conaffinity="{conaffinity}"/></body>
<body name="other" pos="0.1 0 0"><freejoint/><geom size="0.1" contype="1" conaffinity="0"/></body>
<body name="third" pos="0.1 0 0"><freejoint/><geom size="0.1" contype="1" conaffinity="128"/></body>
</worldbody></mujoco>"""
ONE, REST = np.array([True, False, False]), np.array([False, True, True])


def model_of(contype: int, conaffinity: int) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(BALLS.format(contype=contype, conaffinity=conaffinity))


@pytest.mark.parametrize(("contype", "conaffinity", "met"), [(0, 1, {1, 2}), (128, 0, {2}), (127, 254, set())])
def test_only_what_may_collide_meets(contype: int, conaffinity: int, met: set[int]) -> None:
    model = model_of(contype, conaffinity)
    Meeting.between(model, ONE, REST).arrange(model)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_collision(model, data)
    assert set(data.contact.geom.ravel()) - {0} == met


@pytest.mark.parametrize(("contype", "conaffinity"), [(256, 1), (1, 256), (-1, 0)])
def test_a_mask_without_room_is_refused_by_name(contype: int, conaffinity: int) -> None:
    with pytest.raises(UsageError, match=rf"ball.* of body one has contype {contype} and conaffinity {conaffinity}"):
        Meeting.between(model_of(contype, conaffinity), ONE, REST)
