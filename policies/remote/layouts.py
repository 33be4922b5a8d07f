"""How foreign policies expect observations and give actions: the keys, images, state and prompt of each, as tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Float32Array, FloatArray, ImageArray, Observation
from ambidex.errors import UsageError, check_name
from ambidex.text import first_few

StateParts = Callable[[Observation], Mapping[str, FloatArray]]
"""An observation -> the parts that states are composed of, by name; see `STATE_PARTS`."""
Arrays = dict[str, npt.NDArray[np.uint8 | np.float32]]
Request = dict[str, object]
"""A message to a policy: arrays, text, and maps of these."""

STATE_PARTS: Mapping[str, str] = {
    "qpos": "joint positions [rad] with gripper openings 0..1, of all arms",
    "objects": "poses of the objects: position [m], quaternion wxyz",
    "arm_qpos": "joint positions of one arm without its gripper [rad]",
    "gripper_closed": "0 for an open gripper, 1 for a closed one",
    "ee_pos": "position of the grip site in the world [m]",
    "ee_axis_angle": "orientation of the hand as axis times angle [rad], 0 to 2 pi, as LIBERO's files have it",
    "gripper_qpos": "positions of both finger joints [m]",
}
EPISODE, STEP, STEPS = "episode", "step", "steps"
"""Keys of a request with observations of a window, see requests.py."""
LEFT_OUT = "none"
"""In the place of a camera: the request does not have this key."""
DROID_MAX_JOINT_SPEED = 3.0  # of a velocity of 1 [rad/s]: 0.2 rad per step at 15 Hz (droid/robot_ik/robot_ik_solver.py)


@dataclass(frozen=True, kw_only=True)
class ImageFormat:
    """How images are sent.

    Attributes:
        size: Height and width [px]; the image is scaled with its proportions kept, and padded with black. None sends
            it as rendered.
        mirrored: Left and right are swapped, as in images of robosuite that were turned by 180 degrees.
        channels_first: Shape (3, H, W) instead of (H, W, 3).
        floats: float32 from 0 to 1 instead of uint8.
    """

    size: tuple[int, int] | None = None
    mirrored: bool = False
    channels_first: bool = False
    floats: bool = False

    def view(self, image: ImageArray) -> ImageArray:
        """An upright image (H, W, 3) as the policy sees it, still (H, W, 3) uint8."""
        seen = image[:, ::-1] if self.mirrored else image
        return np.ascontiguousarray(seen if self.size is None else resize_with_pad(seen, self.size))

    def array(self, image: ImageArray) -> npt.NDArray[np.uint8 | np.float32]:
        """An upright image (H, W, 3) as the array that is sent."""
        seen = self.view(image)
        ordered = np.ascontiguousarray(seen.transpose(2, 0, 1)) if self.channels_first else seen
        return ordered.astype(np.float32) / np.float32(255) if self.floats else ordered


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a policy is sent and what its actions mean, for one task family.

    Attributes:
        control: Control mode of the environment.
        cameras: Key of an image -> camera.
        images: How images are sent.
        state: Key -> parts, of `STATE_PARTS`, that are joined to one float32 vector.
        prompt: Key of the instruction; empty to leave it out.
        nested: A slash in a key separates the name of a map from a key in it.
        batched: Arrays have a first axis of length 1, and the prompt is a list of one text.
        droid: Actions are those of DROID (`droid_action`) instead of the environment's.
        replan: Actions executed before the next request; None for all of an answer.
        image_size: Height and width to render [px]; None for the family's.
        render_quality: See `ambidex.make`.
        described: The server describes its policy; all else follows from that, see described.py.
        offsets: Control steps from the newest observation back to each that the policy looks at, oldest first.
    """

    control: str
    cameras: Mapping[str, str]
    images: ImageFormat
    state: Mapping[str, tuple[str, ...]]
    prompt: str
    nested: bool = False
    batched: bool = False
    droid: bool = False
    replan: int | None = None
    image_size: tuple[int, int] | None = None
    render_quality: str = "standard"
    described: bool = False
    offsets: tuple[int, ...] = (0,)

    def request(self, observation: Observation, parts: Mapping[str, FloatArray]) -> Request:
        """The message for an observation and its parts; renders the images."""
        return self._request(self._arrays(observation, parts), observation.instruction)

    def stacked_request(self, observations: Sequence[Observation], parts: StateParts) -> Request:
        """The message for several observations of an episode; arrays have them along a further first axis."""
        each = [self._arrays(observation, parts(observation)) for observation in observations]
        stacked = {key: np.stack([arrays[key] for arrays in each]) for key in each[0]}
        return self._request(stacked, observations[-1].instruction)

    def _arrays(self, observation: Observation, parts: Mapping[str, FloatArray]) -> Arrays:
        arrays: Arrays = {key: self.images.array(observation.image(camera)) for key, camera in self.cameras.items()}
        for key, names in self.state.items():
            arrays[key] = np.concatenate([parts[name] for name in names]).astype(np.float32)
        return arrays

    def _request(self, arrays: Arrays, instruction: str) -> Request:
        values: Request = {key: array[None] if self.batched else array for key, array in arrays.items()}
        if self.prompt:
            values[self.prompt] = [instruction] if self.batched else instruction
        return _nested(values) if self.nested else values

    def with_map(self, entries: Sequence[str]) -> "Layout":
        """The layout with other cameras: each entry is KEY=CAMERA, or KEY=none to leave a key out.

        Raises:
            UsageError: An entry has another form, or leaves out a key that does not exist (unless `described`).
        """
        known = (*self.cameras, *self.state, *([self.prompt] if self.prompt else []))
        cameras = dict(self.cameras)
        for entry in entries:
            key, separator, camera = entry.rpartition("=")
            if not (key and separator and camera):
                hint = "Expected KEY=CAMERA, e.g. observation/image=agentview, or KEY=none to leave the key out."
                raise UsageError(f"--map {entry!r} has no key or no camera.", hint, got=entry)
            if camera == LEFT_OUT and not self.described and key not in (*known, *cameras):
                problem = f"--map {entry}: requests of this layout have no key {key}."
                raise UsageError(problem, f"They have {', '.join(known)}.", got=key, expected=known)
            cameras[key] = camera
        return replace(
            self,
            cameras={key: camera for key, camera in cameras.items() if camera != LEFT_OUT},
            state={key: parts for key, parts in self.state.items() if key not in cameras},
            prompt="" if self.prompt in cameras else self.prompt,
        )


_LIBERO_STATE = ("ee_pos", "ee_axis_angle", "gripper_qpos")

LAYOUTS: Mapping[str, Mapping[str, Layout]] = {
    "libero": {
        "libero": Layout(
            control="ee",
            cameras={"observation/image": "agentview", "observation/wrist_image": "robot0_eye_in_hand"},
            images=ImageFormat(size=(224, 224), mirrored=True),
            state={"observation/state": _LIBERO_STATE},
            prompt="prompt",
            replan=5,
        )
    },
    "aloha": {
        "aloha": Layout(
            control="joint",
            cameras={"images/cam_high": "top"},
            images=ImageFormat(size=(224, 224), channels_first=True),
            state={"state": ("qpos",)},
            prompt="prompt",
            nested=True,
            replan=10,
        )
    },
    "droid": {
        "libero": Layout(
            control="joint",
            cameras={
                "observation/exterior_image_1_left": "agentview",
                "observation/wrist_image_left": "robot0_eye_in_hand",
            },
            images=ImageFormat(size=(224, 224)),
            state={"observation/joint_position": ("arm_qpos",), "observation/gripper_position": ("gripper_closed",)},
            prompt="prompt",
            droid=True,
            replan=8,
        )
    },
    "lerobot": {
        "libero": Layout(
            control="ee",
            cameras={
                "observation.images.image": "agentview",
                "observation.images.image2": "robot0_eye_in_hand",
            },
            images=ImageFormat(mirrored=True, channels_first=True, floats=True),
            state={"observation.state": _LIBERO_STATE},
            prompt="task",
            batched=True,
        ),
        "aloha": Layout(
            control="joint",
            cameras={"observation.images.top": "top"},
            images=ImageFormat(channels_first=True, floats=True),
            state={"observation.state": ("qpos",)},
            prompt="task",
            batched=True,
        ),
    },
    "lerobot_ambidex": {
        name: Layout(
            control=family.control,
            cameras={f"observation.images.{camera}": camera for camera in family.cameras},
            images=ImageFormat(channels_first=True, floats=True),
            state={"observation.state": ("qpos",)},
            prompt="task",
            batched=True,
        )
        for name, family in FAMILIES.items()
    },
    "ambidex": {
        family: Layout(control="", cameras={}, images=ImageFormat(), state={}, prompt="", described=True)
        for family in FAMILIES
    },
}
"""Layout -> task family -> how it is done there. Sources: the example clients of openpi for LIBERO, ALOHA and DROID,
and the LIBERO and ALOHA environments of LeRobot. `lerobot_ambidex` is what record-episodes --format lerobot writes."""


def find_layout(
    name: str, family: str, entries: Sequence[str] = (), image_size: tuple[int, int] | None = None
) -> Layout:
    """The layout of a name for a task family, with the entries of `--map`, and another size to render [px].

    Raises:
        UsageError: No such layout, none for this family, or an entry has another form.
    """
    check_name("layout", name, LAYOUTS)
    if family not in LAYOUTS[name]:
        fitting = [other for other, families in LAYOUTS.items() if family in families]
        problem = f"--layout {name} is for tasks of {first_few(list(LAYOUTS[name]))}; these are tasks of {family}."
        raise UsageError(problem, f"Layouts for {family}: {', '.join(fitting)}.", got=name, expected=fitting)
    layout = LAYOUTS[name][family].with_map(entries)
    return layout if image_size is None else replace(layout, image_size=image_size)


def resize_with_pad(image: ImageArray, size: tuple[int, int]) -> ImageArray:
    """An image scaled to fit into a height and width, bilinearly, in the middle of a black one, as openpi does."""
    height, width = size
    if image.shape[:2] == size:
        return image
    ratio = max(image.shape[1] / width, image.shape[0] / height)
    inner = int(image.shape[1] / ratio), int(image.shape[0] / ratio)
    resized = Image.fromarray(image).resize(inner, Image.Resampling.BILINEAR)
    padded = Image.new("RGB", (width, height))
    padded.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return np.asarray(padded, np.uint8)


def droid_action(action: Float32Array, qpos: FloatArray, control_hz: float, *, positions: bool) -> Float32Array:
    """An action of DROID as a joint action: joint positions [rad] and gripper opening, shape (8,).

    Args:
        action: Shape (8,): joint velocities -1..1 of DROID's largest speed, or joint positions [rad]; then the gripper,
            which is closed above 0.5 and open otherwise.
        qpos: Joint positions of the arm now, shape (7,) or longer.
        control_hz: Control rate of the environment [Hz].
        positions: The action has joint positions instead of velocities.
    """
    arm = action[:-1] if positions else qpos[:7] + np.clip(action[:-1], -1, 1) * DROID_MAX_JOINT_SPEED / control_hz
    return np.append(arm, 0.0 if action[-1] > 0.5 else 1.0).astype(np.float32)


def _nested(values: Mapping[str, object]) -> Request:
    nested: Request = {}
    for key, value in values.items():
        outer, separator, inner = key.partition("/")
        if separator:
            group = nested.setdefault(outer, {})
            assert isinstance(group, dict)
            group[inner] = value
        else:
            nested[key] = value
    return nested
