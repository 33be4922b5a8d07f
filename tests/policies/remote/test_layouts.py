import numpy as np
import pytest

from ambidex.envs.types import Observation
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.remote.described import DescribedPolicy
from ambidex.policies.remote.layouts import (
    LAYOUTS,
    STATE_PARTS,
    ImageFormat,
    droid_action,
    find_layout,
    resize_with_pad,
)

SIZES = {
    "qpos": 8,
    "arm_qpos": 7,
    "gripper_closed": 1,
    "ee_pos": 3,
    "ee_axis_angle": 3,
    "gripper_qpos": 2,
    "objects": 7,
}
PARTS = {part: 100 * i + np.arange(SIZES[part], dtype=float) for i, part in enumerate(STATE_PARTS)}


def left_red(height, width):
    """An upright image whose left half is red and whose top row is blue."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0] = 255
    image[0] = 0, 0, 255
    return image


def requested(name, family, entries=(), size=(256, 256)):
    nothing = np.zeros(0)
    observation = Observation(
        time=0.0,
        state=nothing,
        qpos=PARTS["qpos"],
        qvel=nothing,
        objects=nothing,
        instruction="put the bowl on the stove",
        camera_names=(),
        render=lambda state, camera: left_red(*size),
    )
    return find_layout(name, family, entries).request(observation, PARTS)


def test_libero_is_mirrored_upright_and_scaled():
    request = requested("libero", "libero")
    assert list(request) == ["observation/image", "observation/wrist_image", "observation/state", "prompt"]
    for key in ("observation/image", "observation/wrist_image"):
        image = request[key]
        assert (image.shape, image.dtype) == ((224, 224, 3), np.uint8) and image.flags.c_contiguous
        assert image[10:, 120:, 0].min() == 255 and image[10:, :104, 0].max() == 0  # what was left is right
        assert image[0, :, 2].min() > 100 and image[10:, :, 2].max() == 0  # what was above is above
    state = request["observation/state"]
    expected = np.r_[PARTS["ee_pos"], PARTS["ee_axis_angle"], PARTS["gripper_qpos"]]
    np.testing.assert_array_equal(state, expected)
    assert state.dtype == np.float32 and request["prompt"] == "put the bowl on the stove"


def test_aloha_is_padded_has_channels_first_and_a_map_of_images():
    request = requested("aloha", "aloha", size=(480, 640))
    assert list(request) == ["images", "state", "prompt"] and list(request["images"]) == ["cam_high"]
    image = request["images"]["cam_high"]
    assert (image.shape, image.dtype) == ((3, 224, 224), np.uint8) and image.flags.c_contiguous
    assert image[:, :28].max() == 0 and image[:, 196:].max() == 0  # 640x480 fills 224x168 in the middle
    assert image[0, 30:194, :110].min() == 255 and image[0, 30:194, 114:].max() == 0
    np.testing.assert_array_equal(request["state"], PARTS["qpos"])


def test_droid_is_not_mirrored():
    request = requested("droid", "libero")
    assert request["observation/exterior_image_1_left"][10:, :104, 0].min() == 255
    np.testing.assert_array_equal(request["observation/joint_position"], PARTS["arm_qpos"])
    np.testing.assert_array_equal(request["observation/gripper_position"], PARTS["gripper_closed"])


@pytest.mark.parametrize(("family", "mirrored"), [("libero", True), ("aloha", False)])
def test_lerobot_has_batches_of_floats(family, mirrored):
    request = requested("lerobot", family, size=(48, 64))
    images = [value for key, value in request.items() if ".images." in key]
    assert len(images) == (2 if family == "libero" else 1)
    for image in images:
        assert (image.shape, image.dtype) == ((1, 3, 48, 64), np.float32) and set(image.flat) == {0.0, 1.0}
        assert image[0, 0, 1:, :32].max() == (0 if mirrored else 1)
    assert request["observation.state"].shape == (1, 8) and request["task"] == ["put the bowl on the stove"]


@pytest.mark.parametrize("name", ["libero", "droid", "lerobot"])
def test_the_camera_of_the_hand_has_the_key_of_the_wrist(name):
    found = {camera: key.rpartition(".")[2] for key, camera in LAYOUTS[name]["libero"].cameras.items()}
    assert "wrist" in found["robot0_eye_in_hand"] or found["robot0_eye_in_hand"] == "image2"
    assert not ("wrist" in found["agentview"] or found["agentview"] == "image2")


def test_a_map_adds_replaces_and_leaves_out():
    entries = ["observation/image=frontview", "observation/extra=birdview", "observation/state=none", "prompt=none"]
    layout = find_layout("libero", "libero", entries)
    assert layout.cameras == {
        "observation/image": "frontview",
        "observation/wrist_image": "robot0_eye_in_hand",
        "observation/extra": "birdview",
    }
    assert list(requested("libero", "libero", entries)) == list(layout.cameras)


@pytest.mark.parametrize("entry", ["top", "=top", "images/cam_low=", ""])
def test_an_entry_without_key_or_camera_is_refused(entry):
    with pytest.raises(UsageError) as caught:
        find_layout("aloha", "aloha", [entry])
    assert caught.value.facts["got"] == entry


def test_a_key_that_is_left_out_must_exist():
    find_layout("ambidex", "aloha", ["images/top=none"])  # the server says which keys there are
    with pytest.raises(UsageError) as caught:
        find_layout("aloha", "aloha", ["images/cam=none"])
    assert caught.value.facts == {"got": "images/cam", "expected": ("images/cam_high", "state", "prompt")}


def test_a_layout_must_exist_and_fit_the_tasks():
    with pytest.raises(UnknownNameError):
        find_layout("groot", "libero")
    with pytest.raises(UsageError) as caught:
        find_layout("libero", "aloha")
    assert caught.value.facts["expected"] == ["aloha", "lerobot", "lerobot_ambidex", "ambidex"]


def test_states_are_made_of_known_parts():
    parts = {
        part for families in LAYOUTS.values() for each in families.values() for p in each.state.values() for part in p
    }
    assert parts < set(STATE_PARTS)


def test_an_image_of_the_right_size_is_sent_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    assert resize_with_pad(image, (224, 224)) is image
    np.testing.assert_array_equal(ImageFormat(size=(224, 224), mirrored=True).array(image), image[:, ::-1])


@pytest.mark.parametrize(
    ("size", "inner"), [((100, 50), (224, 112)), ((50, 100), (112, 224)), ((448, 448), (224, 224))]
)
def test_padding_keeps_proportions(size, inner):
    padded = resize_with_pad(np.full((*size, 3), 200, np.uint8), (224, 224))
    rows, columns = padded[..., 0].any(1), padded[..., 0].any(0)
    assert (rows.sum(), columns.sum()) == inner and (rows == rows[::-1]).all() and (columns == columns[::-1]).all()


def test_droid_velocities_move_the_joints_and_its_gripper_is_the_other_way_round():
    qpos = np.r_[np.arange(7) / 10, 0.5]
    still = droid_action(np.float32([0] * 7 + [0.4]), qpos, 20.0, positions=False)
    np.testing.assert_allclose(still, [*qpos[:7], 1.0], atol=1e-6)  # open
    fast = droid_action(np.float32([1] * 6 + [-5] + [0.6]), qpos, 15.0, positions=False)
    np.testing.assert_allclose(
        fast - np.r_[qpos[:7], 0.0], [0.2] * 6 + [-0.2, 0.0], atol=1e-6
    )  # 0.2 rad per step at 15 Hz
    there = droid_action(np.float32([0.3] * 7 + [1]), qpos, 20.0, positions=True)
    np.testing.assert_allclose(there, [0.3] * 7 + [0.0], atol=1e-6)


DESCRIPTION = {
    "robot": "panda",
    "control": "ee",
    "control_hz": 20.0,
    "dynamics": "identified",
    "cameras": ["agentview"],
    "image_size": [64, 48],
    "render_quality": "standard",
    "state": {"qpos": ["joint"] * 8},
    "action_names": ["dx"],
    "execute_steps": 4,
    "policy": "act",
}


def test_a_policy_of_ours_describes_its_layout():
    layout = DescribedPolicy.of(DESCRIPTION).layout
    assert (layout.control, layout.image_size, layout.replan) == ("ee", (64, 48), 4)
    assert layout.cameras == {"images/agentview": "agentview"} and layout.state == {"qpos": ("qpos",)}


@pytest.mark.parametrize(
    "changes",
    [{"cameras": "top"}, {"image_size": [64]}, {"execute_steps": "4"}, {"state": 3}, {"state": {"x": []}}],
)
def test_another_description_is_refused(changes):
    with pytest.raises(UsageError):
        DescribedPolicy.of(DESCRIPTION | changes)
