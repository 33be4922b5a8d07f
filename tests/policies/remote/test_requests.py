from dataclasses import replace

import numpy as np
import pytest
from synthetic_episode import make_spec
from synthetic_libero import libero_spec

from ambidex.policies.messages import PolicyInputs
from ambidex.policies.remote.array_codec import InvalidMessageError, pack, unpack
from ambidex.policies.remote.requests import fit, metadata, read_request
from ambidex.policies.serving.client import ServedPolicy

QPOS = np.arange(14, dtype=np.float32)
IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
JOINTS = tuple(f"robot0_joint{i}" for i in range(1, 8))


def served(spec, *, cameras=("top",), objects=False, instruction=False, history=1, **changes):
    policy = ServedPolicy(
        name="act",
        spec=spec,
        inputs=PolicyInputs(cameras=cameras, objects=objects, instruction=instruction, history=history, stride=history),
        chunk_size=50,
        execute_steps=20,
        instructions=(),
    )
    return replace(policy, **changes)


ALOHA = served(make_spec())
PANDA = served(
    libero_spec(joint_names=(*JOINTS, "robot0_gripper"), image_size=(24, 32), cameras=("agentview",)),
    cameras=("agentview",),
)
OURS = {"qpos": QPOS, "images": {"top": IMAGE}}


def test_our_own_layout_is_read_to_the_bit():
    policy = served(make_spec(), objects=True, instruction=True)
    objects = np.linspace(0, 1, 14, dtype=np.float32)
    message = read_request({**OURS, "objects": objects, "prompt": "go"}, policy)
    np.testing.assert_array_equal(message.qpos, QPOS)
    np.testing.assert_array_equal(message.objects, objects)
    np.testing.assert_array_equal(message.images["top"], IMAGE)
    assert message.instruction == "go"


def test_a_robot_that_is_none_of_ours_has_our_layout_only():
    policy = served(make_spec(family=""))
    assert metadata(policy)["layouts"] == ("ambidex",)
    np.testing.assert_array_equal(read_request(OURS, policy).qpos, QPOS)
    with pytest.raises(InvalidMessageError):
        read_request({"state": QPOS, "images": {"cam_high": IMAGE.transpose(2, 0, 1)}}, policy)


def test_what_the_policy_does_not_use_is_left_out():
    message = read_request({**OURS, "objects": "?", "prompt": 3, "other": {"deep": 1}}, ALOHA)
    assert message.objects.shape == (14,) and not message.objects.any()
    assert message.instruction == "" and list(message.images) == ["top"]
    assert read_request({"qpos": QPOS}, served(make_spec(), cameras=())).images == {}


def test_openpis_layout_for_aloha_has_channels_first():
    message = read_request({"state": QPOS, "images": {"cam_high": IMAGE.transpose(2, 0, 1)}}, ALOHA)
    np.testing.assert_array_equal(message.qpos, QPOS)
    np.testing.assert_array_equal(message.images["top"], IMAGE)


def test_openpis_layout_for_libero_is_mirrored_and_has_no_joint_positions():
    state = np.array([0, 0, 0, 0, 0, 0, 0.02, -0.02])
    request = {"observation/image": IMAGE[:, ::-1], "observation/state": state}
    with pytest.raises(InvalidMessageError) as info:
        read_request(request, PANDA)
    assert info.value.facts["field"] == "observation/joint_position"
    message = read_request({**request, "observation/joint_position": QPOS[:7]}, PANDA)
    np.testing.assert_array_equal(message.qpos, [*QPOS[:7], np.float32(0.5)])
    np.testing.assert_array_equal(message.images["agentview"], IMAGE)


@pytest.mark.parametrize("padded", [(32, 32, 3), (224, 224, 3), (500, 400, 3)])
def test_padding_is_cut_off_and_the_size_restored(padded):
    rows = round(padded[1] * 24 / 32)
    image = np.zeros(padded, np.uint8)
    top = (padded[0] - rows) // 2
    image[top : top + rows] = 200
    assert (fit(image, (24, 32)) == 200).all()


def test_a_flat_image_of_another_size_is_fitted():
    assert fit(np.ones((1, 300, 3), np.uint8), (24, 32)).shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("qpos", {**OURS, "qpos": QPOS[:13]}),
        ("qpos", {**OURS, "qpos": [0.0] * 14}),
        ("qpos", {**OURS, "qpos": np.full(14, np.nan)}),
        ("qpos", {**OURS, "qpos": np.full(14, 1e300)}),
        ("qpos", {**OURS, "qpos": np.array(["0"] * 14)}),
        ("images/top", {"qpos": QPOS}),
        ("images/top", {"qpos": QPOS, "images": {"top": IMAGE[:-1]}}),
        ("images/top", {"qpos": QPOS, "images": {"top": IMAGE.astype(np.uint16)}}),
        ("images/cam_high", {"state": QPOS, "images": {"cam_high": IMAGE}}),
        ("images/cam_high", {"state": QPOS, "images": {"cam_high": np.zeros((3, 0, 5), np.uint8)}}),
        ("images/cam_high", {"state": QPOS, "images": {"cam_high": np.zeros(5, np.uint8)}}),
        ("state", {"something": 1}),
    ],
)
def test_a_wrong_value_is_named(field, request_):
    with pytest.raises(InvalidMessageError) as info:
        read_request(request_, ALOHA)
    assert info.value.facts["field"] == field


@pytest.mark.parametrize("request_", [None, [1], "qpos", np.zeros(14)])
def test_a_request_is_a_map(request_):
    with pytest.raises(InvalidMessageError):
        read_request(request_, ALOHA)


def test_instructions_are_checked():
    policy = served(make_spec(), cameras=(), instruction=True, instructions=("lift", "drop"))
    assert read_request({"qpos": QPOS, "prompt": "drop"}, policy).instruction == "drop"
    for wrong in ({}, {"prompt": b"drop"}, {"prompt": "fly"}):
        with pytest.raises(InvalidMessageError) as info:
            read_request({"qpos": QPOS, **wrong}, policy)
        assert info.value.facts["field"] == "prompt"


def test_a_camera_without_a_key_and_another_control_mode_need_our_layout():
    with pytest.raises(InvalidMessageError) as info:
        read_request({"state": QPOS}, served(make_spec(), cameras=("angle",)))
    assert info.value.facts["field"] == "angle"
    with pytest.raises(InvalidMessageError) as info:
        read_request({"state": QPOS}, served(make_spec(control="ee")))
    assert info.value.facts["field"] == "qpos"


def test_metadata_say_what_the_policy_needs():
    sent = unpack(pack(metadata(served(make_spec(), objects=True), weights_sha256="ab")))
    assert sent["state"] == {"qpos": list(make_spec().joint_names), "objects": ["peg", "socket"]}
    assert (sent["policy"], sent["robot"], sent["control"]) == ("act", "viperx_bimanual", "joint")
    assert (sent["cameras"], sent["image_size"]) == (["top"], [24, 32])
    assert (sent["action_horizon"], sent["execute_steps"], sent["control_hz"]) == (50, 20, 50.0)
    assert sent["layouts"] == ["ambidex"]  # openpi has no key for poses
    assert metadata(served(make_spec(control="ee")))["layouts"] == ("ambidex",)
    assert metadata(served(make_spec(), cameras=("angle",)))["layouts"] == ("ambidex",)
    assert metadata(ALOHA)["layouts"] == ("ambidex", "openpi-aloha") and list(metadata(ALOHA)["state"]) == ["qpos"]


WINDOW = {
    "episode": 3,
    "step": 7,
    "steps": np.array([5, 7]),
    "qpos": np.stack((QPOS, 2 * QPOS)),
    "images": {"top": np.stack((IMAGE, IMAGE[::-1]))},
    "prompt": "go",
}
LOOKING_BACK = served(make_spec(), instruction=True, history=2)


def test_the_observations_of_a_window_are_read_to_the_bit():
    said = metadata(LOOKING_BACK)
    assert (said["history"], said["stride"], said["layouts"]) == (2, 2, ("ambidex",))
    assert (metadata(ALOHA)["history"], metadata(ALOHA)["stride"]) == (1, 1)
    message = read_request(unpack(pack(WINDOW)), LOOKING_BACK)
    assert (message.episode, message.step, list(message.frames)) == (3, 7, [5, 7])
    for place, frame in enumerate(message.frames.values()):
        np.testing.assert_array_equal(frame.qpos, WINDOW["qpos"][place])
        np.testing.assert_array_equal(frame.images["top"], WINDOW["images"]["top"][place])
        assert frame.instruction == "go"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"step": None}, "step"),
        ({"episode": "x"}, "episode"),
        ({"step": -1}, "step"),
        ({"steps": np.array([5, 8])}, "steps"),
        ({"steps": np.array([-1, 7])}, "steps"),
        ({"steps": np.array([5, 6, 7])}, "steps"),
        ({"steps": np.array([[5, 7]])}, "steps"),
        ({"steps": np.array([5.0, 7.0])}, "steps"),
        ({"steps": 7}, "steps"),
        ({"qpos": QPOS}, "qpos"),
        ({"images": {"top": IMAGE}}, "images/top"),
        ({"qpos": np.zeros((2, 13))}, "qpos"),
    ],
)
def test_a_wrong_window_is_refused(changes, field):
    with pytest.raises(InvalidMessageError) as caught:
        read_request({**WINDOW, **changes}, LOOKING_BACK)
    assert caught.value.facts["field"] == field


def test_a_policy_with_a_history_is_not_asked_in_openpis_layout():
    with pytest.raises(InvalidMessageError, match="2 observations 2 steps apart") as caught:
        read_request({"state": QPOS, "images": {"cam_high": IMAGE.transpose(2, 0, 1)}, "prompt": "go"}, LOOKING_BACK)
    assert "layout ambidex" in str(caught.value) and caught.value.facts["field"] == "step"
