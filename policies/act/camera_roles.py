"""What each camera is there for."""

from collections.abc import Mapping
from enum import StrEnum

from ambidex.errors import UnknownNameError, UsageError


class CameraRole(StrEnum):
    """What a camera contributes."""

    WRIST_DETAIL = "wrist_detail"
    WRIST_CONTEXT = "wrist_context"
    GLOBAL_OVERVIEW = "global_overview"


GRIDS: Mapping[CameraRole, int] = {
    CameraRole.WRIST_DETAIL: 6,
    CameraRole.WRIST_CONTEXT: 4,
    CameraRole.GLOBAL_OVERVIEW: 2,
}  # tokens along each side of the view
KNOWN: Mapping[str, CameraRole] = {
    "left_wrist": CameraRole.WRIST_DETAIL,
    "right_wrist": CameraRole.WRIST_DETAIL,
    "robot0_eye_in_hand": CameraRole.WRIST_DETAIL,
    "front_close": CameraRole.WRIST_CONTEXT,
    "top": CameraRole.GLOBAL_OVERVIEW,
    "angle": CameraRole.GLOBAL_OVERVIEW,
    "agentview": CameraRole.GLOBAL_OVERVIEW,
}


def roles_of(cameras: tuple[str, ...], overrides: tuple[str, ...]) -> tuple[CameraRole, ...]:
    """The role of each camera.

    Args:
        cameras: Camera names.
        overrides: "NAME=ROLE", which go before the known ones.

    Raises:
        UsageError: An override is not of that form.
        UnknownNameError: A camera or a role is not known.
    """
    table = {**KNOWN, **dict(_parse(text) for text in overrides)}
    for camera in cameras:
        if camera not in table:
            raise UnknownNameError("role of camera (say it with camera_roles NAME=ROLE)", camera, table)
    return tuple(table[camera] for camera in cameras)


def _parse(text: str) -> tuple[str, CameraRole]:
    camera, equals, role = text.partition("=")
    if not (camera and equals):
        raise UsageError(f"camera_roles: expected NAME=ROLE, got {text!r}. Roles: {', '.join(CameraRole)}.")
    if role not in set(CameraRole):
        raise UnknownNameError("camera role", role, CameraRole)
    return camera, CameraRole(role)
