"""The task and scene as LIBERO's files describe them, the same for all demonstrations of a file."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.envs.types import EnvSpec

if TYPE_CHECKING:
    import mujoco

    from ambidex.envs.env import Environment
    from ambidex.envs.tasks.libero.task import LiberoTask

ROBOSUITE = 1  # robomimic's number for robosuite environments


@dataclass(frozen=True, kw_only=True)
class LiberoScene:
    """The task and scene as LIBERO's files describe them.

    Attributes:
        bddl_file_name: Name of the task's definition, e.g. "libero_goal/put_the_bowl_on_the_stove.bddl".
        bddl_file_content: Its text.
        env_name: Name of the problem class, e.g. "Libero_Tabletop_Manipulation".
        env_args: JSON object: type, env_name, problem_name, bddl_file and env_kwargs.
        problem_info: JSON object: problem_name, domain_name, and the definition's own language_instruction.
        model_file: The scene as MJCF, with textures made in memory as flat colours.
        nq: Number of generalised positions.
        nv: Number of generalised velocities.
    """

    bddl_file_name: str
    bddl_file_content: str
    env_name: str
    env_args: str
    problem_info: str
    model_file: str
    nq: int
    nv: int


def describe_scene(env: "Environment") -> LiberoScene:
    """The task and scene of an environment of the libero family."""
    task, scene = cast("LiberoTask", env.task), env.scene
    problem = task.problem
    class_name = "_".join(part.capitalize() for part in problem.problem.split("_"))
    name = env.spec.task.removesuffix(SUFFIX) + SUFFIX
    return LiberoScene(
        bddl_file_name=name,
        bddl_file_content=problem.text,
        env_name=class_name,
        env_args=json.dumps(_env_args(env.spec, class_name, problem.problem, name)),
        problem_info=json.dumps(
            {"problem_name": problem.problem, "domain_name": "robosuite", "language_instruction": problem.language}
        ),
        model_file=to_mjcf(task.compose(scene.robot)),
        nq=int(scene.model.nq),
        nv=int(scene.model.nv),
    )


def _env_args(spec: EnvSpec, class_name: str, problem: str, file: str) -> dict[str, object]:
    """The arguments of the environment that robomimic and LIBERO store, as far as they mean something here."""
    height, width = spec.image_size
    return {
        "type": ROBOSUITE,
        "env_name": class_name,
        "problem_name": problem,
        "bddl_file": file,
        "env_kwargs": {
            "bddl_file_name": file,
            "robots": ["Panda"],
            "controller_configs": _controller(spec),
            "control_freq": spec.control_hz,
            "horizon": spec.horizon,
            "camera_names": list(spec.cameras),
            "camera_heights": height,
            "camera_widths": width,
            "use_camera_obs": bool(spec.cameras),
        },
    }


def _controller(spec: EnvSpec) -> dict[str, object]:
    """The controller by robosuite's names; its JOINT_POSITION takes increments unless input_type says otherwise."""
    if spec.control == "ee":
        return {"type": "OSC_POSE"}
    return {"type": "JOINT_POSITION", "input_type": "absolute", "action_names": list(spec.action_names)}


def to_mjcf(spec: "mujoco.MjSpec") -> str:
    """A scene as one MJCF text. Textures made in memory become their mean colour: MJCF takes them from files alone."""
    for texture in spec.textures:
        if texture.data:
            _flatten(texture)
    spec.compile()
    return str(spec.to_xml())


def _flatten(texture: "mujoco.MjsTexture") -> None:
    import mujoco

    pixels = np.frombuffer(bytes(texture.data), np.uint8).reshape(-1, texture.nchannel)
    texture.rgb1 = pixels[:, :3].mean(axis=0) / 255
    texture.data = b""
    texture.builtin = mujoco.mjtBuiltin.mjBUILTIN_FLAT
    texture.width = texture.height = 16
