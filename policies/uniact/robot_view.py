"""What UniAct looks at when it acts with a robot."""

from dataclasses import dataclass

from ambidex.envs.types import EnvSpec
from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.policy_inputs import PolicyInputs
from ambidex.policies.uniact.config import UniActConfig


@dataclass(frozen=True, kw_only=True)
class RobotView:
    """A robot's cameras.

    Attributes:
        interpreter: Those of the interpreter.
        main: The one of the extractor.
    """

    interpreter: tuple[str, ...]
    main: str

    @property
    def inputs(self) -> PolicyInputs:
        """All that is looked at."""
        seen = tuple(dict.fromkeys((*self.interpreter, self.main)))
        return PolicyInputs(cameras=seen, objects=False, instruction=True)


def view_of(config: UniActConfig, spec: EnvSpec) -> RobotView:
    """The cameras that the configuration names, as far as a robot's data have them; all if it names none.

    The main camera is the one that is named, or the interpreter's first.

    Raises:
        NoImagesError: The data have no images.
        UsageError: They have none of one of these cameras.
    """
    if not spec.cameras:
        raise NoImagesError(f"UniAct needs images, and the data of {spec.task} have none.")
    cameras = tuple(name for name in config.cameras or spec.cameras if name in spec.cameras)
    if not cameras:
        raise UsageError(
            f"UniAct needs images of {' or '.join(config.cameras)}{_told(config.cameras)}: the data of "
            f"{spec.task} have images of {', '.join(spec.cameras)}. Give --cameras with some of those, "
            "or without a name for all, or render the episodes again with render-episodes --cameras."
        )
    return RobotView(interpreter=cameras, main=_main(config, spec, cameras))


def _main(config: UniActConfig, spec: EnvSpec, cameras: tuple[str, ...]) -> str:
    if not config.main_camera:
        return cameras[0]
    if config.main_camera not in spec.cameras:
        raise UsageError(
            f"--main-camera {config.main_camera}{_told(config.main_camera)}: the data of {spec.task} have images of "
            f"{', '.join(spec.cameras)}. Give --main-camera {cameras[0]}, or --main-camera '' for the first of each "
            "robot's cameras."
        )
    return config.main_camera


def _told(setting: object) -> str:
    """Who said so, if anybody did: with --adapt or --finetune perhaps not the user."""
    return " (from the flags, or from the checkpoint to begin with)" if setting else ""
