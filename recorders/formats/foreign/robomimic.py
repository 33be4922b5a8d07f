"""Files of robomimic and LIBERO: data/demo_I with obs, actions and rewards."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ambidex.codec import parse
from ambidex.envs.tasks.libero.suites import instruction
from ambidex.recorders.formats.foreign.demonstration import EpisodeGroups
from ambidex.recorders.formats.foreign.description import PANDA_JOINTS, PRESETS, Values
from ambidex.recorders.formats.foreign.hdf5 import Hdf5Kind, images_in
from ambidex.recorders.formats.libero.layout import DATA, IMAGE_KEYS, OBSERVATIONS, OWN, PREFIX, demo_path, demos_in
from ambidex.recorders.hdf5.reading import Hdf5Source, reading

END = "_demo"  # of the name of a file of LIBERO
ROBOSUITE = 1  # the type in env_args
CAMERAS = {key: camera for camera, key in IMAGE_KEYS.items()}
LIBERO = PRESETS["robomimic"]["libero"]
CONVENTIONS = {"opengl": "bottom_up", "opencv": "upright"}
"""What LIBERO's files call the order of the rows of images -> what we call it."""


class ForeignRobomimic(Hdf5Kind):
    """A file of many demonstrations, or a folder of such files, as LIBERO has one for each task."""

    name = "robomimic"

    def matches(self, source: Hdf5Source) -> bool:
        first = _first_demo(source)
        return (
            bool(first)
            and not source.has(f"{first}/{OWN}")
            and not source.has_attribute("image_convention", f"/{DATA}")
        )

    def episodes_in(self, file: Path) -> list[Path]:
        return list(demos_in(file).values())

    def groups(self, path: Path) -> EpisodeGroups:
        demo = demo_path(path)
        group = f"/{DATA}/{demo.name}"
        observations = f"{group}/{OBSERVATIONS}"
        return EpisodeGroups(file=demo.parent, actions=group, observations=observations, images=observations)

    def dataset_of(self, file: Path) -> Path:
        return file

    def said(self, path: Path) -> Values:
        with closing(Hdf5Source(self.first(path))) as source:
            return {**_contents(source), **_meaning(self.first(path), source), **self._instructions(path)}

    def _instructions(self, path: Path) -> Values:
        """Each file's instruction, for files that are named after their tasks as LIBERO's are."""
        found = {file.name: instruction(file.stem.removesuffix(END)) for file in self.files(path)}
        return {"instruction": found} if all(Path(name).stem.endswith(END) for name in found) else {}


def _first_demo(source: Hdf5Source) -> str:
    """The group of the first demonstration; empty if there is none."""
    names = source.names(f"/{DATA}") if source.has(f"/{DATA}") else []
    return next((f"/{DATA}/{name}" for name in names if name.startswith(PREFIX)), "")


def _contents(source: Hdf5Source) -> Values:
    demo = _first_demo(source)
    return {
        "action": ["actions"],
        "cameras": {_camera(name): name for name in images_in(source, f"{demo}/{OBSERVATIONS}")},
        "colours": "rgb",
        "success": "rewards" if source.has(f"{demo}/rewards") else "all",
    }


def _camera(name: str) -> str:
    return CAMERAS.get(name, name.removesuffix("_rgb").removesuffix("_image"))


def _meaning(file: Path, source: Hdf5Source) -> Values:
    """What the attributes of robomimic and LIBERO say."""
    attributes = source.attributes(f"/{DATA}")
    with reading(file, "attribute 'env_args' of /data"):
        arguments: Mapping[str, Any] = parse(attributes.get("env_args", "{}"))
        robot = _robot(arguments.get("env_kwargs", {})) if arguments.get("type") == ROBOSUITE else {}
    if "problem_info" in attributes:
        convention = CONVENTIONS.get(str(attributes.get("macros_image_convention")))
        return {**LIBERO, "images": convention, "robot": "", "control": "", "control_hz": 0, **robot}
    names = {f"{_first_demo(source)}/{OBSERVATIONS}/{name}" for name in PANDA_JOINTS["state"]}
    is_panda = "robot" in robot and all(map(source.has, names))
    joints: Values = {**PANDA_JOINTS, "finger_stroke": LIBERO["finger_stroke"]} if is_panda else {}
    return {**({"images": "upright", "observed": "before"} if arguments else {}), **joints, **robot}


def _robot(arguments: Mapping[str, Any]) -> Values:
    """The robot, if it is a Panda whose actions are robosuite's steps of the hand; else only the rate."""
    hz = {"control_hz": float(arguments.get("control_freq", 0))}
    controller = arguments.get("controller_configs", {})
    controller = controller.get("body_parts", {}).get("right", controller)
    steps = controller.get("control_delta", True) and controller.get("input_type", "delta") == "delta"
    if arguments.get("robots") in ("Panda", ["Panda"]) and controller.get("type") == "OSC_POSE" and steps:
        return {"robot": "panda", "control": "ee", **hz}
    return hz
