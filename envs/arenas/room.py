"""A room in the making: light, cameras, floor and walls, and things to look at."""

import mujoco
import numpy as np

from ambidex.envs.objects.building.mesh import Mesh, joined
from ambidex.envs.objects.building.shapes import WHOLE, box
from ambidex.envs.objects.building.surfaces import board, grained
from ambidex.envs.types import FloatArray, ImageArray

VISUAL, COLLISION = 2, 3  # groups of geoms
FRICTION = (0.95, 0.01, 0.0001)
SOLREF, SOLIMP = (0.01, 1.0), (0.97, 0.995, 0.001, 0.5, 2.0)
Point = tuple[float, float, float]
Tone = tuple[float, float, float]


class Room:
    """A room in the making.

    Attributes:
        spec: The model so far.
    """

    def __init__(self, name: str, surface: float) -> None:
        """Make an empty, lit room.

        Args:
            name: Its name.
            surface: Height of what things stand on [m], at which cameras look.
        """
        self.spec = mujoco.MjSpec()
        self.spec.modelname = name
        self.spec.compiler.degree = False
        self._set_view(surface)
        self._add_lights(surface)
        self._add_cameras(surface)

    def show(self, mesh: Mesh, tone: Tone = (1.0, 1.0, 1.0), texture: ImageArray | None = None) -> None:
        """Add something to look at.

        Args:
            mesh: Its surface, in the world.
            tone: Red, green, blue, 0 to 1; a texture is multiplied by it.
            texture: Shape (H, W, 3) uint8, its first row at v = 0.
        """
        label = f"room{len(self.spec.meshes)}"
        indices = np.ascontiguousarray(mesh.faces, np.int32).ravel()
        self.spec.add_mesh(
            name=label,
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
            uservert=mesh.vertices.ravel(),
            usernormal=mesh.normals.ravel(),
            usertexcoord=mesh.uv.ravel(),
            userface=indices,
            userfacenormal=indices,
            userfacetexcoord=indices,
        )
        self.spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=label,
            material=self._material(label, tone, texture),
            group=VISUAL,
            contype=0,
            conaffinity=0,
            mass=0.0,
        )

    def stand_on_box(self, name: str, low: Point, high: Point) -> None:
        """Add an invisible box to stand on, between two corners [m]."""
        centre, half = np.add(low, high) / 2, np.subtract(high, low) / 2
        self._solid(name, mujoco.mjtGeom.mjGEOM_BOX, centre, half)

    def stand_on_floor(self, name: str) -> None:
        """Add an invisible, endless floor at z = 0."""
        self._solid(name, mujoco.mjtGeom.mjGEOM_PLANE, np.zeros(3), np.array([3.0, 3.0, 0.05]))

    def camera(self, name: str, position: Point, quaternion: tuple[float, float, float, float]) -> None:
        """Add a camera that looks along its -z axis, with MuJoCo's default field of view of 45 degrees."""
        self.spec.worldbody.add_camera(name=name, pos=position, quat=quaternion, fovy=45.0)

    def _solid(self, name: str, kind: mujoco.mjtGeom, centre: FloatArray, size: FloatArray) -> None:
        self.spec.worldbody.add_geom(
            name=name,
            type=kind,
            pos=centre,
            size=size,
            group=COLLISION,
            condim=4,
            friction=FRICTION,
            solref=SOLREF,
            solimp=SOLIMP,
        )

    def _material(self, label: str, tone: Tone, texture: ImageArray | None) -> str:
        material = self.spec.add_material(name=label, rgba=(*tone, 1.0), specular=0.05, shininess=0.1, reflectance=0.0)
        if texture is not None:
            height, width, channels = texture.shape
            made = self.spec.add_texture(
                name=label, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=channels
            )
            made.data = texture.tobytes()
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB.value] = label
        return label

    def _set_view(self, surface: float) -> None:
        # Pinned: the clipping planes are fractions of the extent, and must not move when something is added.
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
        # Without a shadow map form must read from tone: a key from the front left, a cool fill from the right. The
        # key's position matters for its shadow map alone; its line passes through the middle of the table.
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
            self._look(name, position, target)

    def _look(self, name: str, position: Point, target: Point) -> None:
        back = np.subtract(position, target)
        back /= np.linalg.norm(back)
        right = np.cross((0.0, 0.0, 1.0), back)
        right /= np.linalg.norm(right)
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, np.column_stack([right, np.cross(back, right), back]).ravel())
        self.spec.worldbody.add_camera(name=name, pos=position, quat=quaternion, fovy=45.0)


# FOLDED envs.arenas.furniture: What rooms are furnished with: floors, walls and tables.

ROOM_LOW, ROOM_HIGH = (-2.3, -2.2), (2.6, 2.2)  # where the walls stand [m]
WALL_HEIGHT = 2.6
SKIRTING = 0.09
WHITE: Tone = (0.88, 0.87, 0.85)


def add_floor(room: Room, texture: ImageArray, span: float, axis: int = 1) -> None:
    """The floor to look at, its top at z = 0; one picture covers `span` [m]."""
    top = box((*ROOM_LOW, -0.05), (*ROOM_HIGH, 0.0), {"top": WHOLE})
    room.show(grained(top, axis, span), texture=texture)


def add_walls(room: Room, texture: ImageArray, span: float = 1.0, skirting: Tone = WHITE) -> None:
    """Three walls: behind the robot and to its sides. The fourth is left out, cameras look in there."""
    room.show(_walls(0.0, WALL_HEIGHT, 0.0, span), texture=texture)
    room.show(_walls(0.0, SKIRTING, 0.015, span), skirting)


def _walls(low: float, high: float, inset: float, span: float) -> Mesh:
    """The sides of walls that face the room."""
    (left, near), (right, far) = ROOM_LOW, ROOM_HIGH
    sides = (
        (box((left - 0.05, near, low), (left + inset, far, high), {"right": WHOLE}), 1),
        (box((left, near - 0.05, low), (right, near + inset, high), {"back": WHOLE}), 0),
        (box((left, far - inset, low), (right, far + 0.05, high), {"front": WHOLE}), 0),
    )
    return joined(*(grained(side, axis, span) for side, axis in sides))


def add_table(
    room: Room, low: Point, high: Point, top: ImageArray, frame: Tone, *, span: float = 0.5, axis: int = 1
) -> None:
    """A table with four legs.

    Args:
        room: Where it stands.
        low: Lowest corner of the table top [m].
        high: Highest corner; its z is the surface.
        top: Picture of the top.
        frame: Tone of legs and apron.
        span: What the picture covers [m].
        axis: Axis of the grain.
    """
    room.stand_on_box("table", low, high)
    room.show(board(low, high, axis, span), texture=top)
    room.show(joined(*_legs(low, high), _apron(low, high)), frame)


def _legs(low: Point, high: Point, side: float = 0.06, inset: float = 0.03) -> list[Mesh]:
    return [
        box((x, y, 0.0), (x + side, y + side, low[2]))
        for x in (low[0] + inset, high[0] - inset - side)
        for y in (low[1] + inset, high[1] - inset - side)
    ]


def _apron(low: Point, high: Point, inset: float = 0.04, height: float = 0.08) -> Mesh:
    bottom = (low[0] + inset, low[1] + inset, low[2] - height)
    return box(bottom, (high[0] - inset, high[1] - inset, low[2]))
