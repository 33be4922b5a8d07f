"""Makes the MuJoCo model of an object or a fixture: visual geoms, collision geoms, sites and joints."""

from collections.abc import Iterable

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from ambidex.envs.objects.building.mesh import Colour, Mesh
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.types import ImageArray

VISUAL, COLLISION, REGION = 2, 3, 4  # groups of geoms and sites
TORSIONAL, ROLLING = 0.01, 0.0001  # friction of a contact patch and of a rolling body [m]
# Critically damped. With 5 ms, which is twice the time step, a can in a basket never came to rest.
SOLREF = (0.006, 1.0)
SOLIMP = (0.97, 0.995, 0.001, 0.5, 2.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
JOINT_TYPES = {"slide": mujoco.mjtJoint.mjJNT_SLIDE, "hinge": mujoco.mjtJoint.mjJNT_HINGE}


class ObjectBuilder:
    """Builds the model of one category. Everything is given in the object's own frame, with joints at zero.

    The top body is called "main". Call `finish` at the end.

    Attributes:
        properties: Properties of the category.
        spec: The model so far.
    """

    def __init__(self, category: str) -> None:
        self.properties = object_properties(category)
        self.spec = mujoco.MjSpec()
        self.spec.modelname = category
        self.spec.compiler.degree = False
        self._bodies = {"main": self.spec.worldbody.add_body(name="main")}
        self._origins = {"main": np.zeros(3)}
        self._volumes: list[tuple[mujoco.MjsGeom, float]] = []

    def add_body(self, name: str, position: ArrayLike = (0.0, 0.0, 0.0)) -> None:
        """Add a body to the main one, with the joints that the properties list for it.

        Its origin is a position in the object's frame (3,) [m]; its axes are the object's.
        """
        self._bodies[name] = self._bodies["main"].add_body(name=name, pos=np.array(position, dtype=np.float64))
        self._origins[name] = np.array(position, dtype=np.float64)
        for joint, given in self.properties.joints.items():
            if given.body == name:
                self._bodies[name].add_joint(
                    name=joint,
                    type=JOINT_TYPES[given.kind],
                    axis=given.axis,
                    pos=np.subtract(given.anchor, position),
                    range=given.range,
                    limited=True,
                    damping=[given.damping, 0.0, 0.0],
                )

    def add_visual(
        self,
        mesh: Mesh,
        colour: Colour = (1.0, 1.0, 1.0),
        texture: ImageArray | None = None,
        *,
        gloss: float = 0.3,
        name: str | None = None,
        body: str = "main",
    ) -> None:
        """Add a visual geom; it has no mass and does not collide.

        Args:
            mesh: Its surface.
            colour: Red, green, blue, 0 to 1; a texture is multiplied by it.
            texture: Shape (H, W, 3) uint8, its first row at v = 0.
            gloss: 0 for paper, 1 for polished metal.
            name: Name of the geom and of its material, if its appearance depends on the state.
            body: Body it belongs to.
        """
        label = name or f"look{len(self.spec.materials)}"
        shape = add_mesh(self.spec, f"shape{len(self.spec.meshes)}", mesh.translated(-self._origins[body]))
        material = add_material(self.spec, label, (*colour, 1.0), texture, 0.6 * gloss, gloss)
        geom = add_visual_geom(self._bodies[body], shape, material)
        if name is not None:
            geom.name = name

    def add_box(
        self, centre: ArrayLike, half_size: ArrayLike, quaternion: ArrayLike = UPRIGHT, body: str = "main"
    ) -> None:
        """Add a box as collision geom, with mass: centre (3,) and half its lengths (3,) [m], orientation (wxyz)."""
        volume = 8.0 * float(np.asarray(half_size).prod())
        self._add_collision(mujoco.mjtGeom.mjGEOM_BOX, centre, half_size, quaternion, body, volume)

    def add_box_between(self, low: ArrayLike, high: ArrayLike, body: str = "main") -> None:
        """Add an axis-aligned box as collision geom, between two corners (3,) [m]."""
        self.add_box(np.add(low, high) / 2, np.subtract(high, low) / 2, body=body)

    def add_cylinder(self, centre: ArrayLike, radius: float, half_length: float, body: str = "main") -> None:
        """Add a cylinder along z as collision geom, with mass."""
        volume = 2.0 * np.pi * radius**2 * half_length
        size = (radius, half_length, 0.0)
        self._add_collision(mujoco.mjtGeom.mjGEOM_CYLINDER, centre, size, UPRIGHT, body, volume)

    def finish(self) -> mujoco.MjSpec:
        """Add the sites, distribute the mass over the collision geoms by volume, and return the model."""
        whole = sum(volume for _, volume in self._volumes)
        for geom, volume in self._volumes:
            geom.mass = self.properties.mass * volume / whole
        for name, site in self.properties.sites.items():
            half_size = (0.005, 0.005, 0.005) if site.half_size is None else site.half_size
            self._bodies[site.body].add_site(
                name=name,
                pos=np.subtract(site.position, self._origins[site.body]),
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=half_size,
                rgba=(0.0, 0.6, 0.0, 0.3),
                group=REGION,
            )
        return self.spec

    def add_boxes(self, boxes: Iterable[tuple[ArrayLike, ArrayLike]], body: str = "main") -> None:
        """Add axis-aligned boxes as collision geoms, each between two corners (3,) [m]."""
        for low, high in boxes:
            self.add_box_between(low, high, body)

    def _add_collision(
        self, kind: mujoco.mjtGeom, centre: ArrayLike, size: ArrayLike, quaternion: ArrayLike, body: str, volume: float
    ) -> None:
        position, friction = np.subtract(centre, self._origins[body]), (self.properties.friction, TORSIONAL, ROLLING)
        geom = add_collision_geom(self._bodies[body], kind, position, size, friction)
        geom.quat = quaternion
        self._volumes.append((geom, volume))


def add_visual_geom(body: mujoco.MjsBody, mesh: str, material: str) -> mujoco.MjsGeom:
    """Add a geom without mass that does not collide; mesh and material are given by name."""
    kind = mujoco.mjtGeom.mjGEOM_MESH
    return body.add_geom(type=kind, meshname=mesh, material=material, group=VISUAL, contype=0, conaffinity=0, mass=0.0)


def add_collision_geom(
    body: mujoco.MjsBody, kind: mujoco.mjtGeom, position: ArrayLike, size: ArrayLike, friction: tuple[float, ...]
) -> mujoco.MjsGeom:
    """Add an invisible geom that collides; position, size and friction are given as in MuJoCo."""
    contact = {"condim": 4, "friction": friction, "solref": SOLREF, "solimp": SOLIMP}
    return body.add_geom(type=kind, pos=position, size=size, group=COLLISION, **contact)


def add_mesh(spec: mujoco.MjSpec, name: str, mesh: Mesh) -> str:
    """Add a mesh asset to a model; returns its name."""
    indices = np.ascontiguousarray(mesh.faces, np.int32).ravel()
    spec.add_mesh(
        name=name,
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,  # open surfaces have no volume
        uservert=mesh.vertices.ravel(),
        usernormal=mesh.normals.ravel(),
        usertexcoord=mesh.uv.ravel(),
        userface=indices,
        userfacenormal=indices,
        userfacetexcoord=indices,
    )
    return name


def add_material(
    spec: mujoco.MjSpec,
    name: str,
    rgba: tuple[float, float, float, float],
    texture: ImageArray | None,
    specular: float,
    shininess: float,
) -> str:
    """Add a material to a model, with a texture (H, W, 3) uint8 of the same name; returns the name."""
    material = spec.add_material(name=name, rgba=rgba, specular=specular, shininess=shininess, reflectance=0.0)
    if texture is not None:
        height, width, channels = texture.shape
        asset = spec.add_texture(
            name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=channels
        )
        asset.data = texture.tobytes()
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB.value] = name
    return name
