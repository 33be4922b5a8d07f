"""Makes the MuJoCo model of an arena: lights, cameras, floor, walls and tables."""

import mujoco
import numpy as np

from ambidex.envs.objects.building.builder import add_collision_geom, add_material, add_mesh, add_visual_geom
from ambidex.envs.objects.building.mesh import Colour, Mesh, merge
from ambidex.envs.objects.building.shapes import WHOLE_TEXTURE, box
from ambidex.envs.objects.building.surfaces import board, project_texture
from ambidex.envs.objects.properties import Vector
from ambidex.envs.simulation.pose import quaternion_of
from ambidex.envs.types import FloatArray, ImageArray

FRICTION = (0.95, 0.01, 0.0001)
WALLS_LOW, WALLS_HIGH = (-2.3, -2.2), (2.6, 2.2)  # where the walls stand [m]
WALL_HEIGHT = 2.6
SKIRTING_HEIGHT = 0.09
WHITE: Colour = (0.88, 0.87, 0.85)


class ArenaBuilder:
    """Builds the model of an arena, in world coordinates. It starts with lights, and cameras that look at the surface.

    Attributes:
        spec: The model so far.
    """

    def __init__(self, name: str, surface: float) -> None:
        self.spec = mujoco.MjSpec()
        self.spec.modelname = name
        self.spec.compiler.degree = False
        self._set_view(surface)
        self._add_lights(surface)
        self._add_cameras(surface)

    def add_visual(self, mesh: Mesh, colour: Colour = (1.0, 1.0, 1.0), texture: ImageArray | None = None) -> None:
        """Add a visual geom.

        Args:
            mesh: Its surface.
            colour: Red, green, blue, 0 to 1; a texture is multiplied by it.
            texture: Shape (H, W, 3) uint8, its first row at v = 0.
        """
        label = f"room{len(self.spec.meshes)}"
        material = add_material(self.spec, label, (*colour, 1.0), texture, 0.05, 0.1)
        add_visual_geom(self.spec.worldbody, add_mesh(self.spec, label, mesh), material)

    def add_box(self, name: str, low: Vector, high: Vector) -> None:
        """Add an invisible box as collision geom, between two corners [m]."""
        centre, half = np.add(low, high) / 2, np.subtract(high, low) / 2
        self._add_collision(name, mujoco.mjtGeom.mjGEOM_BOX, centre, half)

    def add_floor_plane(self, name: str) -> None:
        """Add an invisible, infinite floor at z = 0 as collision geom."""
        self._add_collision(name, mujoco.mjtGeom.mjGEOM_PLANE, np.zeros(3), np.array([3.0, 3.0, 0.05]))

    def add_camera(self, name: str, position: Vector, quaternion: tuple[float, float, float, float]) -> None:
        """Add a camera that looks along its -z axis, with MuJoCo's default field of view of 45 degrees."""
        self.spec.worldbody.add_camera(name=name, pos=position, quat=quaternion, fovy=45.0)

    def add_floor(self, texture: ImageArray, span: float, axis: int = 1) -> None:
        """Add the visible floor, its top at z = 0; the texture covers `span` [m]."""
        top = box((*WALLS_LOW, -0.05), (*WALLS_HIGH, 0.0), {"top": WHOLE_TEXTURE})
        self.add_visual(project_texture(top, axis, span), texture=texture)

    def add_walls(self, texture: ImageArray, span: float = 1.0, skirting: Colour = WHITE) -> None:
        """Add three walls: behind the robot and to its sides. The fourth side is open for the cameras."""
        self.add_visual(_walls(0.0, WALL_HEIGHT, 0.0, span), texture=texture)
        self.add_visual(_walls(0.0, SKIRTING_HEIGHT, 0.015, span), skirting)

    def add_table(
        self, low: Vector, high: Vector, top: ImageArray, frame: Colour, *, span: float = 0.5, axis: int = 1
    ) -> None:
        """Add a table with four legs, and its top as the collision geom "table".

        Args:
            low: Lowest corner of the table top [m].
            high: Highest corner; its z is the surface.
            top: Texture of the top.
            frame: Colour of legs and apron.
            span: Length that the texture covers [m].
            axis: Axis of the grain.
        """
        self.add_box("table", low, high)
        self.add_visual(board(low, high, axis, span), texture=top)
        self.add_visual(merge(*_legs(low, high), _apron(low, high)), frame)

    def _add_collision(self, name: str, kind: mujoco.mjtGeom, centre: FloatArray, size: FloatArray) -> None:
        geom = add_collision_geom(self.spec.worldbody, kind, centre, size, FRICTION)
        geom.name = name

    def _set_view(self, surface: float) -> None:
        # Fixed, so that the clipping planes, which are fractions of the extent, do not depend on the content.
        self.spec.stat.center, self.spec.stat.extent = (0.0, 0.0, surface), 1.5
        visual = self.spec.visual
        visual.map.znear, visual.map.zfar, visual.map.shadowclip = 0.01, 8.0, 0.65
        visual.global_.offwidth = visual.global_.offheight = 512
        visual.headlight.ambient, visual.headlight.diffuse = (0.40, 0.40, 0.40), (0.22, 0.22, 0.22)
        visual.headlight.specular = (0.05, 0.05, 0.05)
        visual.quality.numslices, visual.quality.numstacks, visual.quality.numquads = 12, 4, 1
        visual.quality.offsamples = visual.quality.shadowsize = 0
        self.spec.add_texture(
            name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
            rgb1=(0.86, 0.88, 0.90), rgb2=(0.62, 0.64, 0.66), width=32, height=192,
        )  # fmt: skip

    def _add_lights(self, surface: float) -> None:
        # Without shadows, shape is visible by shading only: a key light from the front left, a cool fill light from the
        # right. The key light's position matters for shadows only; its line passes through the middle of the table.
        world, directional = self.spec.worldbody, mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
        world.add_light(
            name="key", type=directional, pos=(1.5, -0.9, surface + 3.0), dir=(-0.5, 0.3, -1.0), castshadow=True,
            diffuse=(0.46, 0.45, 0.43), specular=(0.25, 0.25, 0.25), ambient=(0.0, 0.0, 0.0),
        )  # fmt: skip
        world.add_light(
            name="fill", type=directional, pos=(0.9, 1.2, 2.0), dir=(-0.6, -0.7, -0.6), castshadow=False,
            diffuse=(0.18, 0.19, 0.21), specular=(0.0, 0.0, 0.0), ambient=(0.0, 0.0, 0.0),
        )  # fmt: skip

    def _add_cameras(self, surface: float) -> None:
        for name, position, target in (
            ("frontview", (1.0, 0.0, surface + 0.58), (-0.1, 0.0, surface + 0.05)),
            ("sideview", (-0.06, 1.28, surface + 0.59), (-0.06, 0.0, surface + 0.12)),
            ("galleryview", (1.0, -1.1, surface + 0.9), (-0.2, 0.0, surface + 0.15)),
            ("birdview", (-0.2, 0.0, surface + 2.1), (-0.2001, 0.0, surface)),
        ):
            back = np.subtract(position, target)
            back /= np.linalg.norm(back)
            right = np.cross((0.0, 0.0, 1.0), back)
            right /= np.linalg.norm(right)
            quaternion = quaternion_of(np.column_stack([right, np.cross(back, right), back]))
            self.spec.worldbody.add_camera(name=name, pos=position, quat=quaternion, fovy=45.0)


def _walls(low: float, high: float, inset: float, span: float) -> Mesh:
    """The inner sides of the walls."""
    (left, near), (right, far) = WALLS_LOW, WALLS_HIGH
    sides = (
        (box((left - 0.05, near, low), (left + inset, far, high), {"right": WHOLE_TEXTURE}), 1),
        (box((left, near - 0.05, low), (right, near + inset, high), {"back": WHOLE_TEXTURE}), 0),
        (box((left, far - inset, low), (right, far + 0.05, high), {"front": WHOLE_TEXTURE}), 0),
    )
    return merge(*(project_texture(side, axis, span) for side, axis in sides))


def _legs(low: Vector, high: Vector, side: float = 0.06, inset: float = 0.03) -> list[Mesh]:
    return [
        box((x, y, 0.0), (x + side, y + side, low[2]))
        for x in (low[0] + inset, high[0] - inset - side)
        for y in (low[1] + inset, high[1] - inset - side)
    ]


def _apron(low: Vector, high: Vector, inset: float = 0.04, height: float = 0.08) -> Mesh:
    bottom = (low[0] + inset, low[1] + inset, low[2] - height)
    return box(bottom, (high[0] - inset, high[1] - inset, low[2]))
