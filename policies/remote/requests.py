"""What a policy tells its clients, and their requests as observations: in our own layout, or in openpi's for the robot.

Keys of a request, with a slash between the name of a map and a key in it:

| ours | openpi, ALOHA | openpi, LIBERO |
|---|---|---|
| `qpos` | `state` | `observation/joint_position`, and the gripper from `observation/state` |
| `images/CAMERA` (H, W, 3) | `images/cam_high` (3, H, W) | `observation/image` (H, W, 3), mirrored |
| `objects` | | |
| `prompt` | `prompt` | `prompt` |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ambidex import __version__
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec, Float32Array, ImageArray
from ambidex.policies.messages import ObservationMessage
from ambidex.policies.remote.array_codec import InvalidMessageError
from ambidex.policies.serving.client import ServedPolicy
from ambidex.text import first_few

Request = Mapping[str, Any]
QPOS, OBJECTS, IMAGES, PROMPT = "qpos", "objects", "images", "prompt"
LIBERO_JOINTS, LIBERO_STATE = "observation/joint_position", "observation/state"
LIBERO_STATE_SIZE, FINGER = 8, 6  # of that state: position, axis-angle, and both finger joints
FINGER_OPENED = 0.04  # position of a finger of an open gripper [m]
OURS = "ambidex"


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where images are in a request.

    Attributes:
        cameras: Camera -> key.
        channels_first: Shape (3, H, W) instead of (H, W, 3).
        mirrored: Left and right are swapped.
        any_size: Images may have been scaled, and padded to another shape.
    """

    cameras: Mapping[str, str]
    channels_first: bool = False
    mirrored: bool = False
    any_size: bool = True


OPENPI: Mapping[str, _Layout] = {
    "aloha": _Layout(
        cameras={
            "top": "images/cam_high",
            "left_wrist": "images/cam_left_wrist",
            "right_wrist": "images/cam_right_wrist",
        },
        channels_first=True,
    ),
    "libero": _Layout(
        cameras={"agentview": "observation/image", "robot0_eye_in_hand": "observation/wrist_image"}, mirrored=True
    ),
}
"""Task family -> the layout that openpi's clients use for it."""


def metadata(policy: ServedPolicy, *, weights_sha256: str = "") -> dict[str, object]:
    """The first message to a client; `weights_sha256` is that of the checkpoint's weights."""
    spec = policy.spec
    return {
        "ambidex_version": __version__,
        "policy": policy.name,
        "weights_sha256": weights_sha256,
        "task": spec.task,
        "family": spec.family,
        "robot": spec.robot,
        "control": spec.control,
        "control_hz": spec.control_hz,
        "dynamics": spec.dynamics,
        "cameras": policy.inputs.cameras,
        "image_size": spec.image_size,
        "render_quality": spec.render_quality,
        "state": {QPOS: spec.joint_names, **({OBJECTS: spec.object_names} if policy.inputs.objects else {})},
        "needs_instruction": policy.inputs.instruction,
        "instructions": policy.instructions,
        "action_names": spec.action_names,
        "action_horizon": policy.chunk_size,
        "execute_steps": policy.execute_steps or policy.chunk_size,
        "layouts": (OURS, *([f"openpi-{spec.family}"] if _has_openpi_actions(spec) else [])),
    }


def read_request(request: object, policy: ServedPolicy) -> ObservationMessage:
    """The observation in a request.

    Raises:
        InvalidMessageError: A key is missing, or its value is of another shape or type.
    """
    if not isinstance(request, dict):
        raise InvalidMessageError(f"A request is a map; got a value of type {type(request).__name__}.")
    values = _flat(request)
    layout = _layout(values, policy)
    objects = np.zeros(7 * len(policy.spec.object_names), np.float32)
    return ObservationMessage(
        qpos=_qpos(values, policy.spec),
        objects=_vector(values, OBJECTS, len(objects)) if policy.inputs.objects else objects,
        images={camera: _image(values, camera, layout, policy.spec) for camera in policy.inputs.cameras},
        instruction=_instruction(values, policy) if policy.inputs.instruction else "",
    )


def _flat(request: Request) -> dict[str, Any]:
    """The values by key, those of an inner map as "name/key"."""
    flat: dict[str, Any] = {}
    for key, value in request.items():
        flat |= {f"{key}/{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _has_openpi_actions(spec: EnvSpec) -> bool:
    return spec.control == FAMILIES[spec.family].control


def _layout(values: Request, policy: ServedPolicy) -> _Layout:
    spec = policy.spec
    if QPOS in values:
        return _Layout(cameras={camera: f"{IMAGES}/{camera}" for camera in policy.inputs.cameras}, any_size=False)
    if not _has_openpi_actions(spec):
        problem = f"A request has no {QPOS}, and openpi has no layout for {spec.robot} under {spec.control} control."
        raise InvalidMessageError(problem, "Send the keys that the first message of this server names.", field=QPOS)
    return OPENPI[spec.family]


def _qpos(values: Request, spec: EnvSpec) -> Float32Array:
    joints = len(spec.joint_names)
    if QPOS in values:
        return _vector(values, QPOS, joints)
    if spec.family == "aloha":
        return _vector(values, "state", joints)
    if LIBERO_STATE in values and LIBERO_JOINTS not in values:
        hint = f"Send {LIBERO_JOINTS} ({joints - 1} numbers [rad], robot0_joint_pos of LIBERO) beside {LIBERO_STATE}."
        problem = f"This policy needs joint positions, which do not follow from {LIBERO_STATE}."
        raise InvalidMessageError(problem, hint, field=LIBERO_JOINTS)
    finger = _vector(values, LIBERO_STATE, LIBERO_STATE_SIZE)[FINGER]
    return np.append(_vector(values, LIBERO_JOINTS, joints - 1), finger / np.float32(FINGER_OPENED))


def _vector(values: Request, key: str, length: int) -> Float32Array:
    array = _array(values, key, "numbers", "fiu")
    if array.shape != (length,):
        problem = f"{key} has the shape {array.shape}, expected ({length},)."
        raise InvalidMessageError(problem, field=key, got=array.shape, expected=(length,))
    with np.errstate(over="ignore"):
        vector = array.astype(np.float32)
    if not np.isfinite(vector).all():
        raise InvalidMessageError(f"{key} has numbers that are not finite.", field=key)
    return vector


def _image(values: Request, camera: str, layout: _Layout, spec: EnvSpec) -> ImageArray:
    if camera not in layout.cameras:
        problem = f"This policy needs the camera {camera}, for which openpi has no key."
        raise InvalidMessageError(problem, f"Send {QPOS} and {IMAGES} with the names of our cameras.", field=camera)
    key = layout.cameras[camera]
    image = _array(values, key, "bytes (uint8)", "u")
    if layout.channels_first and image.ndim == 3:
        image = image.transpose(1, 2, 0)
    expected = (*spec.image_size, 3)
    fits = image.ndim == 3 and image.shape[2] == 3 and image.size and layout.any_size
    if image.dtype != np.uint8 or not (fits or image.shape == expected):
        problem = f"The image {key} is of type {image.dtype} and shape (H, W, C) = {image.shape}, expected uint8 and"
        raise InvalidMessageError(f"{problem} {expected}.", field=key, got=image.shape, expected=expected)
    return np.ascontiguousarray(fit(image[:, ::-1] if layout.mirrored else image, spec.image_size))


def fit(image: ImageArray, size: tuple[int, int]) -> ImageArray:
    """The middle of an image, in the proportions of a height and width and scaled to them; undoes padding."""
    if image.shape[:2] == size:
        return image
    scale = min(image.shape[0] / size[0], image.shape[1] / size[1])
    rows, columns = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    middle = Image.fromarray(image[top : top + rows, left : left + columns])
    return np.asarray(middle.resize(size[::-1], Image.Resampling.BILINEAR))


def _instruction(values: Request, policy: ServedPolicy) -> str:
    text = values.get(PROMPT)
    if not isinstance(text, str):
        problem = f"This policy needs the instruction as text in {PROMPT}; got a value of type {type(text).__name__}."
        raise InvalidMessageError(problem, field=PROMPT)
    if policy.instructions and text not in policy.instructions:
        problem = f"This policy was not trained on the instruction {text!r:.200}."
        raise InvalidMessageError(problem, f"It knows: {first_few(policy.instructions)}.", field=PROMPT, got=text)
    return str(text)


def _array(values: Request, key: str, what: str, kinds: str) -> "np.ndarray[Any, Any]":
    if key not in values:
        raise InvalidMessageError(f"A request has no {key}.", f"It has: {first_few(sorted(values))}.", field=key)
    array = values[key]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InvalidMessageError(f"{key} is of type {kind}, expected an array of {what}.", field=key, got=str(kind))
    return array
