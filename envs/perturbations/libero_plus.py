"""LIBERO-plus's own distributions of three axes: what they draw at the level "libero_plus".

Source: the parameters in the names of its 10,030 variants (arXiv 2510.13626, sylvestf/LIBERO-plus at 4976dc3), counted.
Its variants differ from task to task, so these draws depend on the task too. Which of its levels of difficulty a
variant has cannot be computed from its parameters, and is not drawn.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from ambidex.envs.perturbations.appearance.camera import SceneCameras
from ambidex.envs.perturbations.inputs.sensor import Sensor
from ambidex.envs.perturbations.perturbation import Clean, Drawn, axis_rng
from ambidex.envs.perturbations.physics.robot_start import RobotStart
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray

UNCHANGED: Mapping[str, float] = {
    **dict.fromkeys(("azimuth_deg", "elevation_deg", "yaw_deg", "pitch_deg"), 0),
    "distance_factor": 1.0,
}
ELEVATED = 549 / 992  # share of the orbits that are also raised
ELEVATION, AZIMUTH, TURN, FARTHEST = 15, 75, 10, 200  # [degrees], and percent of the distance
UP = (0.0, 0.0, 1.0)
PIVOT = np.array([0.0, 0.0, 0.8])  # of elevation and distance [m]
SENSOR_KINDS = ("fog", "gaussian_blur", "glass", "motion_blur", "zoom_blur")
SEVERITIES = 10


class LiberoPlusCameras(SceneCameras):
    """An orbit, a larger distance, or a turn in place, as often as in LIBERO-plus; not limited as other levels are.

    Orbits have an azimuth about the vertical through the origin, and some an elevation about the y axis through
    `PIVOT`, which comes first. The distance is that to `PIVOT`; a turn is a yaw about the vertical and a pitch about
    the camera's x axis. Whole degrees (even ones of a turn) and percents are equally probable, which is assumed.
    """

    def draw(self, rng: np.random.Generator) -> Drawn:
        rng = _of_task(self.clean, rng)
        counts = np.array([count for count, _ in CAMERA_KINDS.values()])
        kind = str(rng.choice(list(CAMERA_KINDS), p=counts / counts.sum()))
        self._change = {**UNCHANGED, **CAMERA_KINDS[kind][1](rng)}
        return {"kind": kind, **self._change}

    def _moved(self, pose: Pose, target: FloatArray) -> Pose:
        angle = {name: math.radians(value) for name, value in self._change.items() if name.endswith("_deg")}
        raised = Pose.at(PIVOT, quaternion_about((0, 1, 0), -angle["elevation_deg"]))
        offset = self._change["distance_factor"] * (pose.position - PIVOT)
        moved = (
            Pose.at(np.zeros(3), quaternion_about(UP, angle["azimuth_deg"])) @ raised @ Pose(offset, pose.quaternion)
        )
        yaw, pitch = quaternion_about(UP, angle["yaw_deg"]), quaternion_about((1, 0, 0), angle["pitch_deg"])
        return Pose(moved.position, quaternion_product(yaw, moved.quaternion, pitch))


class LiberoPlusStart(RobotStart):
    """One of the distances of the five levels, equally often."""

    def draw(self, rng: np.random.Generator) -> Drawn:
        rng = _of_task(self.clean, rng)
        self.strength = self.strengths[int(rng.integers(len(self.strengths)))]
        return super().draw(rng)


class LiberoPlusSensor(Sensor):
    """One of five disturbances at one of ten severities, all equally often."""

    def draw(self, rng: np.random.Generator) -> Drawn:
        rng = _of_task(self.clean, rng)
        self._kind, severity = str(rng.choice(SENSOR_KINDS)), int(rng.integers(1, SEVERITIES + 1))
        self._seed, self.strength = int(rng.integers(2**32)), (severity,)
        return {"kind": self._kind, "severity": severity}


def _orbit(rng: np.random.Generator) -> Mapping[str, float]:
    elevation = ELEVATION * int(rng.uniform() < ELEVATED)
    azimuths = [angle for angle in range(-AZIMUTH, AZIMUTH + 1) if angle or elevation]
    return {"azimuth_deg": int(rng.choice(azimuths)), "elevation_deg": elevation}


def _distance(rng: np.random.Generator) -> Mapping[str, float]:
    return {"distance_factor": int(rng.integers(101, FARTHEST + 1)) / 100}


def _turn(rng: np.random.Generator) -> Mapping[str, float]:
    angles = range(-TURN, TURN + 1, 2)
    yaw, pitch = rng.choice([(a, b) for a in angles for b in angles if a or b]).tolist()
    return {"yaw_deg": yaw, "pitch_deg": pitch}


CAMERA_KINDS: Mapping[str, tuple[int, Callable[[np.random.Generator], Mapping[str, float]]]] = {
    "orbit": (992, _orbit),
    "distance": (313, _distance),
    "turn": (294, _turn),
}
"""Kind of camera variant -> how many there are, and what draws one."""


def _of_task(clean: Clean, rng: np.random.Generator) -> np.random.Generator:
    """The generator of an episode and its task, from that of the episode."""
    return axis_rng(clean.spec.task, int(rng.integers(2**32)))
