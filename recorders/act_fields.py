"""What an ACT episode file holds besides pixels; the writer and the reader share this table."""

from collections.abc import Mapping

from ambidex.envs.types import Episode
from ambidex.recorders.field import Field
from ambidex.recorders.fingerprints import digests

FORMAT_VERSION = 2
IMAGES = "/observations/images"

FIELDS = (
    Field(path="/action", name="joint_actions", dtype="float32", per_joint=True),
    Field(path="/observations/qpos", name="qpos", dtype="float32", per_joint=True),
    Field(path="/observations/qvel", name="qvel", dtype="float32", per_joint=True),
    Field(path="/observations/objects", name="objects", dtype="float32", may_be_empty=True),
    Field(path="/action_ee", name="ee_actions", dtype="float32", may_be_empty=True),
    Field(path="/states", name="states", dtype="float64", extra_rows=1, compressed=True),
    Field(path="/stages", name="stages", dtype="int8", extra_rows=1, dimensions=1),
)


def fingerprints(episode: Episode, spec: Mapping[str, object] | None = None) -> dict[str, str]:
    """SHA-256 of each field, and of the attributes together; see `digests`.

    Args:
        episode: Its arrays and attributes.
        spec: The spec as the file has it; None for the episode's own.
    """
    return digests(episode, {field.path: getattr(episode, field.name) for field in FIELDS}, spec)
