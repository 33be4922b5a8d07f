"""Further objects on the table, which the task is not about."""

import math
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from ambidex.envs.perturbations.appearance.camera import table_height
from ambidex.envs.perturbations.appearance.object_colour import COLOURS
from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
from ambidex.envs.perturbations.physics.footprint import colliding_geoms, distances, footprints, table_area
from ambidex.envs.registry import FAMILIES
from ambidex.envs.simulation.pose import quaternion_about
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

BOX, CYLINDER, SPHERE = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_SPHERE
SHAPES = (
    (BOX, (0.022, 0.022, 0.022)),
    (CYLINDER, (0.022, 0.025, 0.0)),
    (SPHERE, (0.025, 0.0, 0.0)),
    (BOX, (0.035, 0.020, 0.015)),
    (CYLINDER, (0.030, 0.012, 0.0)),
    (BOX, (0.018, 0.018, 0.032)),
    (SPHERE, (0.018, 0.0, 0.0)),
    (CYLINDER, (0.016, 0.034, 0.0)),
)
"""Kind and size of each distractor, as in MuJoCo [m]."""
UP = (0.0, 0.0, 1.0)
PREFIX = "distractor_"
PALETTE = {
    "red": (0.80, 0.15, 0.15),
    "green": (0.20, 0.60, 0.25),
    "blue": (0.15, 0.35, 0.75),
    "yellow": (0.90, 0.78, 0.15),
    "purple": (0.50, 0.25, 0.65),
    "pink": (0.90, 0.45, 0.65),
    "orange": (0.92, 0.50, 0.12),
    "white": (0.90, 0.90, 0.90),
}
ALIKE = {"red": ("pink", "orange"), "yellow": ("orange",), "orange": ("red", "yellow"), "brown": ("orange",)}
"""Colour -> those of the palette that could be taken for it."""
HIDDEN = (0.0, 0.0, -1.0)  # below the floor [m]
CLEARANCE = 0.06  # from objects, fixtures and areas of the goal, whatever position their parts are in [m]
APART = 0.02  # from other distractors, and from the edge of the table [m]
AROUND = 0.2  # largest distance from what the task is about, along each axis [m]
SEEN_HEIGHT = 0.02  # above the table of the point that cameras have to see [m]
MARGIN = 0.9  # share of the image, from its middle, that this point is in
CANDIDATES = 400
POSITIONS = np.linspace(0.0, 1.0, 6)  # of drawers, doors and knobs, as shares of their ranges


class Distractors(Perturbation):
    """Boxes, cylinders and spheres around the objects of the task; a level has those of the lower ones and more.

    They stand still: the robot and objects can touch them, but not move them, so the state has the size that it has
    without them. Their colours are not those that the instruction names.
    """

    strengths = ((1,), (2,), (3,), (5,), (8,))  # objects
    model_fields = ("geom_pos", "geom_quat", "geom_rgba")
    sets_constants = True  # MuJoCo's tree of the geoms in the world, which collision detection uses
    reads_initial_state = True

    def __init__(self, clean: Clean, level: int) -> None:
        super().__init__(clean, level)
        words = set(clean.spec.instruction.lower().split()) & set(COLOURS)
        taken = words.union(*(ALIKE.get(word, ()) for word in words))
        self._colours = [colour for colour in PALETTE if colour not in taken]
        model, family = clean.scene.model, FAMILIES[clean.spec.family]
        cameras = [model.camera(name).id for name in family.cameras]
        self._cameras = [camera for camera in cameras if not model.body_weldid[model.cam_bodyid[camera]]]
        self._image_size = family.image_size

    @staticmethod
    def extend(spec: mujoco.MjSpec) -> None:
        """Add all distractors, invisible and below the floor.

        They are geoms of the world: bodies would make states larger, which have the forces that are applied to each.
        """
        for index, (kind, size) in enumerate(SHAPES):
            name = f"{PREFIX}{index}"
            geom = spec.worldbody.add_geom(name=name, type=kind, size=size, pos=HIDDEN, condim=4)
            geom.rgba = (0.0, 0.0, 0.0, 0.0)
            geom.quat = quaternion_about(UP, 1.0)  # compiled with the orientation of its body it could not be rotated

    def draw(self, rng: np.random.Generator) -> Drawn:
        (most,) = self.strength
        order, colours = rng.permutation(len(SHAPES)).tolist(), rng.permutation(self._colours)
        shares, yaws = rng.uniform(size=(len(SHAPES), CANDIDATES, 2)), rng.uniform(-math.pi, math.pi, len(SHAPES))
        self._placed = {
            index: (position, float(yaws[index]), str(colours[i % len(colours)]))
            for i, (index, position) in enumerate(self._positions(order, shares, int(most)).items())
        }
        drawn: dict[str, float | str] = {"objects": len(self._placed)}
        for i, (index, (position, _, colour)) in enumerate(self._placed.items()):
            kind = SHAPES[index][0].name.removeprefix("mjGEOM_").lower()
            drawn |= {f"{i}_shape": f"{colour} {kind}", f"{i}_x_m": float(position[0]), f"{i}_y_m": float(position[1])}
        return drawn

    def change_model(self, model: mujoco.MjModel) -> None:
        height = table_height(self.clean.scene)
        for index, ((x, y), yaw, colour) in self._placed.items():
            geom = model.geom(f"{PREFIX}{index}").id
            model.geom_pos[geom] = x, y, height + model.geom_aabb[geom, 5]
            model.geom_quat[geom] = quaternion_about(UP, yaw)
            model.geom_rgba[geom] = *PALETTE[colour], 1.0

    def _positions(self, order: Sequence[int], shares: FloatArray, most: int) -> dict[int, FloatArray]:
        """Distractor -> its position (2,), in the given order, of the first ones that there is a free place for."""
        obstacles = self._obstacles()
        area, table = _widened(_hull(obstacles), AROUND), table_area(self.clean.scene)
        found: dict[int, FloatArray] = {}
        for index in order:
            edge = _radius(index) + APART
            low, high = np.maximum(area[:2], table[:2] + edge), np.minimum(area[2:], table[2:] - edge)
            points = low + shares[index] * (high - low)
            free = (point for point in points if _is_free(point, index, obstacles, found))
            if len(found) < most and (chosen := next(filter(self._is_seen, free), None)) is not None:
                found[index] = chosen
        return found

    def _is_seen(self, point: FloatArray) -> bool:
        """Whether the family's cameras of the scene see what is at a point (2,) of the table."""
        scene = self.clean.scene
        position = np.array([*point, table_height(scene) + SEEN_HEIGHT])
        return all(_sees(scene, camera, position, self._image_size) for camera in self._cameras)

    def _obstacles(self) -> FloatArray:
        """Rectangles (n, 4) of objects and fixtures, in all positions of their parts, and of areas of the goal."""
        scene, data = self.clean.scene, mujoco.MjData(self.clean.scene.model)
        model, names = scene.model, self.clean.spec.object_names
        geoms = colliding_geoms(model, names)
        bodies = {int(body) for body in model.geom_bodyid[geoms]}
        joints = [i for i in range(model.njnt) if model.jnt_bodyid[i] in bodies and model.jnt_limited[i]]
        addresses, (low, high) = model.jnt_qposadr[joints], model.jnt_range[joints].T
        data.qpos[:], data.mocap_pos[:], data.mocap_quat[:] = (
            scene.data.qpos,
            scene.data.mocap_pos,
            scene.data.mocap_quat,
        )
        places = []
        for share in POSITIONS:
            data.qpos[addresses] = low + share * (high - low)
            mujoco.mj_kinematics(model, data)
            places.append(footprints(model, data, geoms))
        first, *others = places
        moved = [rectangles[(rectangles != first).any(axis=1)] for rectangles in others]
        return np.concatenate([np.reshape(self.clean.task.goal_areas, (-1, 4)), first, *moved])


def _is_free(point: FloatArray, index: int, obstacles: FloatArray, found: Mapping[int, FloatArray]) -> bool:
    """Whether a distractor at a point (2,) keeps its distance from rectangles (n, 4) and from those that are found."""
    if (distances(point[None], obstacles) < _radius(index) + CLEARANCE).any():
        return False
    return all(
        np.linalg.norm(point - position) >= _radius(index) + _radius(other) + APART for other, position in found.items()
    )


def _sees(scene: Scene, camera: int, point: FloatArray, image_size: tuple[int, int]) -> bool:
    """Whether a point (3,) is in the image of a camera, with nothing in front of it."""
    model, data = scene.model, scene.data
    offset = point - data.cam_xpos[camera]
    x, y, z = data.cam_xmat[camera].reshape(3, 3).T @ offset
    height, width = image_size
    tangent = MARGIN * math.tan(math.radians(model.cam_fovy[camera]) / 2)
    if z >= 0 or abs(y) > -z * tangent or abs(x) > -z * tangent * width / height:
        return False
    hit = mujoco.mj_ray(model, data, data.cam_xpos[camera], offset, None, 1, -1, np.empty(1, np.int32))
    return bool(hit < 0 or hit >= 1.0)


def _radius(index: int) -> float:
    """Of the circle around a distractor, seen from above [m]."""
    kind, size = SHAPES[index]
    return math.hypot(size[0], size[1]) if kind == BOX else size[0]


def _hull(rectangles: FloatArray) -> FloatArray:
    return np.concatenate([rectangles[:, :2].min(axis=0), rectangles[:, 2:].max(axis=0)])


def _widened(rectangle: FloatArray, by: float) -> FloatArray:
    return rectangle + by * np.array([-1.0, -1.0, 1.0, 1.0])
