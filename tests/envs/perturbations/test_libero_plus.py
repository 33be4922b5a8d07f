"""The level "libero_plus": what it draws has the counts and ranges of LIBERO-plus's variants."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import chisquare

from ambidex.envs.env import make
from ambidex.envs.perturbations.appearance.camera import scene_cameras
from ambidex.envs.perturbations.inputs import sensor
from ambidex.envs.perturbations.perturbation import Clean, Drawn, axis_rng
from ambidex.envs.perturbations.registry import LIBERO_PLUS_AXES, axes_with_levels, make_perturbation
from ambidex.envs.simulation.pose import quaternion_of, rotation_between
from ambidex.errors import UsageError

DRAWS = 2000
TASK = "libero_goal/1"
FAMILIES = {"motion_blur", "gaussian_blur", "zoom_blur", "fog", "glass"}


@pytest.fixture(scope="module")
def drawn() -> Mapping[str, list[Drawn]]:
    """Axis -> what 2,000 seeds draw."""
    with make(TASK, cameras=()) as env:
        clean = Clean(scene=env.scene, task=env.task, spec=env.spec, idle=lambda: env.action_low)
        made = {axis: make_perturbation(axis, "libero_plus", clean) for axis in LIBERO_PLUS_AXES}
        return {axis: [each.draw(axis_rng(axis, seed)) for seed in range(DRAWS)] for axis, each in made.items()}


def fits(found: Mapping[object, int], expected: Mapping[object, float]) -> bool:
    """Whether counts are those of a distribution, by a chi-squared test; of no other outcomes in any case."""
    assert set(found) <= set(expected)
    total = sum(expected.values())
    counts = [(found.get(name, 0), DRAWS * share / total) for name, share in expected.items()]
    return bool(chisquare(*np.transpose(counts)).pvalue > 0.001)


def test_cameras_are_of_the_three_kinds_as_often_as_in_libero_plus(drawn: Mapping[str, list[Drawn]]) -> None:
    kinds = Counter((each["kind"], each["elevation_deg"]) for each in drawn["camera"])
    assert fits(kinds, {("orbit", 0): 443, ("orbit", 15): 549, ("distance", 0): 313, ("turn", 0): 294})


def test_a_camera_changes_in_one_way_and_within_the_ranges(drawn: Mapping[str, list[Drawn]]) -> None:
    seen: dict[str, set[tuple[object, ...]]] = {"orbit": set(), "distance": set(), "turn": set()}
    parts = {
        "orbit": ("azimuth_deg", "elevation_deg"),
        "distance": ("distance_factor",),
        "turn": ("yaw_deg", "pitch_deg"),
    }
    for each in drawn["camera"]:
        kind = str(each["kind"])
        assert {n for n, v in each.items() if n != "kind" and v != (n == "distance_factor")} <= set(parts[kind])
        seen[kind].add(tuple(each[name] for name in parts[kind]))
    azimuths = [azimuth for azimuth, _ in seen["orbit"]]
    assert (min(azimuths), max(azimuths)) == (-75, 75)  # whole degrees: all 151 are probable in 1,200 draws
    factors = [factor for (factor,) in seen["distance"]]
    assert 1.0 < min(factors) < 1.05 and 1.95 < max(factors) <= 2.0
    assert {angle for turn in seen["turn"] for angle in turn} == set(range(-10, 11, 2))
    assert not seen["turn"] & {(0, 0)} and not seen["orbit"] & {(0, 0)}


def test_robots_start_at_each_of_the_five_distances_equally_often(drawn: Mapping[str, list[Drawn]]) -> None:
    assert fits(
        Counter(each["distance_rad"] for each in drawn["robot_start"]), dict.fromkeys((0.1, 0.2, 0.3, 0.4, 0.5), 1)
    )


def test_images_have_five_disturbances_at_ten_severities_equally_often(drawn: Mapping[str, list[Drawn]]) -> None:
    expected = {(kind, severity): 1 for kind in FAMILIES for severity in range(1, 11)}
    assert fits(Counter((each["kind"], each["severity"]) for each in drawn["sensor"]), expected)


def test_draws_depend_on_task_seed_and_axis_only() -> None:
    axes = [f"{axis}:libero_plus" for axis in LIBERO_PLUS_AXES]
    found = []
    for task, words, seed in ((TASK, axes, 3), (TASK, axes[:1], 3), ("libero_goal/2", axes, 3), (TASK, axes, 4)):
        with make(task, cameras=(), perturb=words) as env:
            env.reset(5)
            env.reset(seed)
            found.append(env.perturbed["camera"])
            assert env.perturbed["camera"]["level"] == "libero_plus"
    assert found[0] == found[1]
    assert found[2] != found[0] != found[3]


def test_the_camera_is_where_the_parameters_say() -> None:
    """Azimuth, elevation and distance from positions, computed apart from the code."""
    with make(TASK, cameras=(), perturb=["camera:libero_plus"]) as env:
        camera = env.scene.model.camera("agentview").id
        _, clean, _ = scene_cameras(env.scene)[camera]
        x, _, z = clean.position
        found = set()
        for seed in range(25):
            env.reset(seed)
            each, position = env.perturbed["camera"], env.scene.data.cam_xpos[camera]
            found.add(each["kind"])
            up = math.radians(float(each["elevation_deg"]))
            radius = x * math.cos(up) - (z - 0.8) * math.sin(up)
            height = 0.8 + x * math.sin(up) + (z - 0.8) * math.cos(up)
            around = math.radians(float(each["azimuth_deg"]))
            factor = float(each["distance_factor"])
            expected = (
                factor * radius * math.cos(around),
                factor * radius * math.sin(around),
                0.8 + factor * (height - 0.8),
            )
            assert position == pytest.approx(expected, abs=1e-6)
            turned = np.linalg.norm(rotation_between(clean.quaternion, quaternion_of(env.scene.data.cam_xmat[camera])))
            if each["kind"] == "distance":
                assert turned == pytest.approx(0.0, abs=1e-6)
            if each["kind"] == "turn":
                assert math.radians(1.9) < turned < math.radians(14.2)
    assert found == {"orbit", "distance", "turn"}


def test_a_raised_camera_still_looks_at_the_table() -> None:
    with make(TASK, cameras=(), perturb=["camera:libero_plus"]) as env:
        camera = env.scene.model.camera("agentview").id
        for seed in range(12):
            env.reset(seed)
            if env.perturbed["camera"]["kind"] == "orbit":
                position = env.scene.data.cam_xpos[camera]
                direction = -env.scene.data.cam_xmat[camera].reshape(3, 3)[:, 2]
                lands = position + direction * (0.9 - position[2]) / direction[2]
                assert np.linalg.norm(lands[:2]) < 0.3


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_all_ten_severities_disturb_an_image(kind: str) -> None:
    image = np.tile(np.kron(np.eye(8, dtype=np.uint8) * 200 + 20, np.ones((8, 8), np.uint8))[..., None], (1, 1, 3))
    made = [sensor.DISTURBANCES[kind](image, severity, np.random.default_rng(0), 1.0) for severity in range(1, 11)]
    assert len({each.tobytes() for each in [image, *made]}) == 11


def test_the_level_is_a_word_for_the_axes_that_have_it() -> None:
    assert axes_with_levels(["sensor:libero_plus", "camera:libero_plus"]) == (
        "camera:libero_plus",
        "sensor:libero_plus",
    )
    with pytest.raises(UsageError, match=r"light:libero_plus: level.*expected 0 .* to 5\.") as caught:
        axes_with_levels(["light:libero_plus"])
    assert "Only camera, robot_start, sensor have libero_plus" in caught.value.hint
