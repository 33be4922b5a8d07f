"""One file per robot, and the table of robots."""

from collections.abc import Mapping

ROBOTS: Mapping[str, str] = {
    "viperx_bimanual": "ambidex.envs.robots.viperx_bimanual:make_robot",
    "panda": "ambidex.envs.robots.panda:make_robot",
}
