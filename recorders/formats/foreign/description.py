"""dataset.toml: what the files of a dataset of another program do not say about it, written down by its user."""

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from math import inf
from pathlib import Path
from textwrap import wrap

from ambidex.atomic_files import read_bytes, read_error, write_text
from ambidex.codec import from_json
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import field_descriptions
from ambidex.recorders.formats.foreign.episode import ALOHA

DATASET_TOML = "dataset.toml"
Values = Mapping[str, object]
"""Fields of a `Description` by name, as in dataset.toml; not all of them."""
CHOICES = {
    "control": ("joint", "ee"),
    "images": ("upright", "bottom_up", "rotated"),
    "colours": ("rgb", "bgr"),
    "observed": ("before", "after"),
    "success": ("all", "rewards"),
    "dynamics": ("identified", "act"),
}
EMPTY: Values = {
    **dict.fromkeys(("robot", "control", "images", "colours", "observed", "success"), ""),
    "state": [],
    "action": [],
    "control_hz": 0,
}
PANDA_JOINTS: Mapping[str, Sequence[str]] = {"state": ["robot0_joint_pos", "robot0_gripper_qpos"]}
"""Where robomimic's files of a Panda have the joints and the positions of the fingers."""
_PANDA: Values = {
    "robot": "panda",
    "control": "ee",
    "control_hz": 20.0,
    "finger_stroke": 0.04,
    "colours": "rgb",
    "success": "rewards",
}
_LIBERO: Values = {**_PANDA, "state": ["joint_states", "gripper_states"], "images": "bottom_up"}
_ALOHA: Values = {
    "control": "joint",
    "control_hz": 50.0,
    "state_names": list(ALOHA),
    "action_names": list(ALOHA),
    "images": "upright",
    "observed": "before",
    "success": "all",
}
PRESETS: Mapping[str, Mapping[str, Values]] = {
    "act": {
        "aloha_sim": {**_ALOHA, "robot": "viperx_bimanual", "dynamics": "act", "colours": "rgb"},
        "aloha": {**_ALOHA, "robot": "aloha", "colours": "rgb"},
        "mobile_aloha": {
            **_ALOHA,
            "robot": "mobile_aloha",
            "action": ["action", "base_action"],
            "action_names": [*ALOHA, "base_linear", "base_angular"],
            "colours": "bgr",
        },
    },
    "robomimic": {
        "libero": {**_LIBERO, "observed": "after"},
        "libero_regenerated": {**_LIBERO, "observed": "before"},
        "panda": {**_PANDA, **PANDA_JOINTS, "images": "upright", "observed": "before"},
    },
}
"""Kind of files -> what is known of those of some programs, by name."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the files of a dataset do not say. The strings are the comments of dataset.toml."""

    robot: str
    """The robot: viperx_bimanual or panda if it is one of ambidex's and has their joints, else any name."""
    control: str
    """What actions are: "joint" positions, or of the end effector, "ee"."""
    control_hz: float
    """Steps per second [Hz]."""
    instruction: str | Mapping[str, str] = ""
    """The task in words, or {"FILE.hdf5" = "the task", ...}. Empty: policies that follow instructions learn none."""
    state: tuple[str, ...]
    """Datasets of the robot's state, joined in this order; their names in the group of observations."""
    state_names: tuple[str, ...] = ()
    """One name for each number of the state. Empty: those of ambidex's robot, for another they are numbered."""
    finger_stroke: float = 0.0
    """If the state ends with the positions of two fingers [m]: that of an open one. The first becomes one number for
    both, 0 closed to 1 open. 0: they stay as they are."""
    action: tuple[str, ...]
    """Datasets of the actions, joined likewise; their names in the group of the episode."""
    action_names: tuple[str, ...] = ()
    """One name for each number of an action. Empty: as for the state."""
    cameras: Mapping[str, str]
    """Camera = name of its images in the file. A camera that is left out is not read."""
    image_size: tuple[int, int] | None = None
    """Height and width [px] to which all images are scaled. Left out: cameras of another size than the first are not
    read."""
    images: str
    """How images are stored: "upright", "bottom_up" (the lowest row first, as OpenGL does), or "rotated" by 180
    degrees."""
    colours: str
    """What a decoder of RGB returns: "rgb", or "bgr" if red and blue are swapped, as in JPEGs of mobile_aloha."""
    observed: str
    """Whether an observation was taken "before" the action of the same row, or "after" it, as in LIBERO's own files."""
    success: str
    """Which episodes are successes: "all", or those with "rewards" above 0."""
    dynamics: str = "identified"
    """Friction and gains of viperx_bimanual: "identified", or "act" as in the original simulation."""


def read_description(said: Values, path: Path, presets: Collection[str]) -> Description:
    """The description of a dataset: what its files say, and what dataset.toml adds or replaces.

    Args:
        said: What the files say.
        path: The dataset, a folder or a file.
        presets: Names of what may be known of such files, for the message.

    Raises:
        DatasetError: Something is missing, or dataset.toml is damaged.
    """
    file = description_file(path)
    values = {**said, **_given(file)}
    missing = [name for name in _required() if not values.get(name)]
    if missing:
        raise _incomplete(path, file, missing, presets)
    try:
        description = from_json(Description, {"cameras": {}, **values})
        _check(description)
    except ValueError as error:
        hint = "Correct it there; convert-dataset --describe writes one with comments."
        raise DatasetError(f"{file}: {error}.", hint, path=file) from error
    return description


def write_description(known: Values, path: Path) -> Path:
    """Write dataset.toml beside the files of a dataset, for its user to fill in what is not known; returns it.

    Raises:
        UsageError: It exists.
        DatasetError: It cannot be written.
    """
    file = description_file(path)
    if file.exists():
        raise UsageError(f"{file} exists, and is not overwritten.", "Edit it, or move it away.", path=file)
    write_text(file, "\n".join(_lines({**EMPTY, **known})))
    return file


def description_file(path: Path) -> Path:
    """The dataset.toml of a dataset, a folder or a file."""
    return (path if path.is_dir() else path.parent) / DATASET_TOML


def missing_fields(file: Path) -> list[str]:
    """The fields that a dataset.toml leaves empty."""
    values = _given(file)
    return [name for name in _required() if not values.get(name)]


def _required() -> list[str]:
    """The fields without a default; a dataset may have no cameras."""
    return [each.name for each in fields(Description) if each.default is MISSING and each.name != "cameras"]


def _given(file: Path) -> Values:
    try:
        return tomllib.loads(read_bytes(file).decode()) if file.exists() else {}
    except OSError as error:
        raise read_error(file, error) from error
    except ValueError as error:  # also of tomllib
        raise DatasetError(f"{file} is no TOML: {error}.", "Correct it there.", path=file) from error


def _incomplete(path: Path, file: Path, missing: list[str], presets: Collection[str]) -> DatasetError:
    facts = {"path": path, "missing": tuple(missing)}
    if file.exists():
        return DatasetError(f"{file} leaves open: {', '.join(missing)}.", "Fill them in.", **facts)
    problem = f"{path}: another program recorded it, and its files do not say: {', '.join(missing)}."
    hint = (
        f"Say it in {file}: convert-dataset {path} --describe writes one to fill in, which --preset fills in for files "
        f"of {', '.join(presets)}."
    )
    return DatasetError(problem, hint, **facts)


def _check(description: Description) -> None:
    for name, choices in CHOICES.items():
        if getattr(description, name) not in choices:
            raise ValueError(f"{name}: got {getattr(description, name)!r}, expected {' or '.join(choices)}")
    for camera in description.cameras:
        if not camera or "/" in camera:  # files and folders are named after it
            raise ValueError(f"cameras: got {camera!r}, expected a name without /")
    if not 0 < description.control_hz < inf:
        raise ValueError(f"control_hz: got {description.control_hz}, expected more than 0")


def _lines(values: Values) -> Iterator[str]:
    """The lines of dataset.toml: each field with its comment above it."""
    yield "# What the files of this dataset do not say. Fill in what is empty."
    for name, text in field_descriptions(Description).items():
        yield from ("", *wrap(text, 100, initial_indent="# ", subsequent_indent="# "))
        default = {each.name: each.default for each in fields(Description)}[name]
        value = values.get(name, {} if default is MISSING else default)
        yield f"{name} = {_toml(value)}" if value is not None else f"# {name} = [480, 640]"
    yield ""


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(name)} = {_toml(each)}' for name, each in value.items())}}}"
    return json.dumps(value)
