"""What a policy tells its clients, and their requests as observations: in our own layout, or in openpi's for the robot.

Keys of a request, with a slash between the name of a map and a key in it:

| ours | openpi, ALOHA | openpi, LIBERO |
|---|---|---|
| `qpos` | `state` | `observation/joint_position`, and the gripper from `observation/state` |
| `images/CAMERA` (H, W, 3) | `images/cam_high` (3, H, W) | `observation/image` (H, W, 3), mirrored |
| `objects` | | |
| `prompt` | `prompt` | `prompt` |

A policy with a history is sent the observations of its window that were not sent before on this connection: our arrays
have them along a further first axis, and there are the keys `steps` (whose steps of the episode they are, an array),
`step` (of the newest observation of the window) and `episode` (a number; another one starts an episode).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from ambidex import __version__
from ambidex.envs.types import EnvSpec, Float32Array, ImageArray
from ambidex.policies.messages import ObservationMessage
from ambidex.policies.remote.array_codec import InvalidMessageError
from ambidex.policies.remote.layouts import EPISODE, LAYOUTS, STEP, STEPS, ImageFormat, Layout
from ambidex.policies.serving.client import ServedPolicy
from ambidex.policies.serving.history import WindowMessage
from ambidex.text import first_few

Request = Mapping[str, Any]
QPOS, OBJECTS, IMAGES, PROMPT = "qpos", "objects", "images", "prompt"
LIBERO_JOINTS, LIBERO_STATE = "observation/joint_position", "observation/state"
LIBERO_STATE_SIZE, FINGER = 8, 6  # of that state: position, axis-angle, and both finger joints
FINGER_OPENED = 0.04  # position of a finger of an open gripper [m]
NAMED_BY_SERVER = "Send the keys that the first message of this server names."


OPENPI: Mapping[str, Layout] = {
    "aloha": LAYOUTS["aloha"]["aloha"].with_map(
        ["images/cam_left_wrist=left_wrist", "images/cam_right_wrist=right_wrist"]
    ),
    "libero": LAYOUTS["libero"]["libero"],
}
"""Task family -> the layout that openpi's clients use for it."""
OURS = ImageFormat()


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
        "history": policy.inputs.history,
        "stride": policy.inputs.stride,
        "instructions": policy.instructions,
        "action_names": spec.action_names,
        "action_horizon": policy.chunk_size,
        "execute_steps": policy.execute_steps or policy.chunk_size,
        "layouts": ("ambidex", *([f"openpi-{spec.family}"] if _openpi_suffices(policy) else [])),
    }


def read_request(request: object, policy: ServedPolicy) -> ObservationMessage | WindowMessage:
    """The observation in a request, or of a window those that it has.

    Raises:
        InvalidMessageError: A key is missing, or its value is of another shape or type.
    """
    if not isinstance(request, dict):
        raise InvalidMessageError(f"A request is a map; got a value of type {type(request).__name__}.")
    values = _flat(request)
    return _observation(values, policy) if policy.inputs.history == 1 else _window(values, policy)


def _window(values: Request, policy: ServedPolicy) -> WindowMessage:
    step, episode, history = _number(values, STEP, policy), _number(values, EPISODE, policy), policy.inputs.history
    steps = _array(values, STEPS, "whole numbers", "iu")
    if steps.ndim != 1 or len(steps) > history or not ((steps >= 0) & (steps <= step)).all():
        problem = f"{STEPS} has the values {steps!s:.100}, expected at most {history} from 0 to {step}."
        raise InvalidMessageError(problem, field=STEPS, got=steps.shape, expected=history)
    arrays = {key: value for key, value in values.items() if isinstance(value, np.ndarray) and key != STEPS}
    if wrong := [key for key, array in arrays.items() if array.shape[:1] != steps.shape]:
        problem = f"{wrong[0]} has the shape {arrays[wrong[0]].shape}, expected ({len(steps)}, ...), as {STEPS} has."
        raise InvalidMessageError(problem, field=wrong[0], got=arrays[wrong[0]].shape, expected=len(steps))
    frames = {
        int(each): _observation({**values, **{key: array[i] for key, array in arrays.items()}}, policy)
        for i, each in enumerate(steps)
    }
    return WindowMessage(episode=episode, step=step, frames=frames)


def _number(values: Request, key: str, policy: ServedPolicy) -> int:
    value = values.get(key)
    if not isinstance(value, int) or value < 0:
        inputs = policy.inputs
        window = f"{inputs.history} observations {inputs.stride} steps apart"
        problem = f"This policy looks at {window}, so a request needs a whole number {key}; got {value!r:.40}."
        hint = "Use the layout ambidex; those of openpi have one observation in a request."
        raise InvalidMessageError(problem, hint, field=key, got=value)
    return value


def _observation(values: Request, policy: ServedPolicy) -> ObservationMessage:
    keys, images = _image_keys(values, policy)
    objects = np.zeros(7 * len(policy.spec.object_names), np.float32)
    return ObservationMessage(
        qpos=_qpos(values, policy.spec),
        objects=_vector(values, OBJECTS, len(objects)) if policy.inputs.objects else objects,
        images={camera: _image(values, keys[camera], images, policy.spec) for camera in policy.inputs.cameras},
        instruction=_instruction(values, policy) if policy.inputs.instruction else "",
    )


def _flat(request: Request) -> dict[str, Any]:
    """The values by key, those of an inner map as "name/key"."""
    flat: dict[str, Any] = {}
    for key, value in request.items():
        flat |= {f"{key}/{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _has_openpi_actions(spec: EnvSpec) -> bool:
    return spec.family in OPENPI and spec.control == OPENPI[spec.family].control


def _openpi_suffices(policy: ServedPolicy) -> bool:
    """Whether requests in openpi's layout can have all that a policy needs."""
    if policy.inputs.objects or policy.inputs.history > 1 or not _has_openpi_actions(policy.spec):
        return False
    return set(policy.inputs.cameras) <= set(OPENPI[policy.spec.family].cameras.values())


def _image_keys(values: Request, policy: ServedPolicy) -> tuple[Mapping[str, str], ImageFormat]:
    """Camera -> key, and how images are sent."""
    spec, cameras = policy.spec, policy.inputs.cameras
    if QPOS in values:
        return {camera: f"{IMAGES}/{camera}" for camera in cameras}, OURS
    if not _has_openpi_actions(spec):
        problem = f"A request has no {QPOS}, and openpi has no layout for {spec.robot} under {spec.control} control."
        raise InvalidMessageError(problem, NAMED_BY_SERVER, field=QPOS)
    keys = {camera: key for key, camera in OPENPI[spec.family].cameras.items()}
    if missing := [camera for camera in cameras if camera not in keys]:
        problem = f"This policy needs the camera {missing[0]}, for which openpi has no key."
        raise InvalidMessageError(problem, NAMED_BY_SERVER, field=missing[0])
    return keys, OPENPI[spec.family].images


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


def _image(values: Request, key: str, sent: ImageFormat, spec: EnvSpec) -> ImageArray:
    image = _array(values, key, "bytes (uint8)", "u")
    if sent.channels_first and image.ndim == 3:
        image = image.transpose(1, 2, 0)
    expected = (*spec.image_size, 3)
    can_be_fitted = image.ndim == 3 and image.shape[2] == 3 and image.size and sent.size is not None
    if image.dtype != np.uint8 or not (can_be_fitted or image.shape == expected):
        problem = f"The image {key} is of type {image.dtype} and shape (H, W, C) = {image.shape}, expected uint8 and"
        raise InvalidMessageError(f"{problem} {expected}.", field=key, got=image.shape, expected=expected)
    return np.ascontiguousarray(fit(image[:, ::-1] if sent.mirrored else image, spec.image_size))


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
