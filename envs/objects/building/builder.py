"""Puts an object's model together: looks, collision shape, sites and joints under one body named "main"."""

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.objects.building.mesh import Mesh
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.types import ImageArray

VISUAL, COLLISION, REGION = 2, 3, 4  # groups of geoms and sites
TORSIONAL, ROLLING = 0.01, 0.0001  # friction of a patch and of a rolling body [m]
SOLREF = (0.01, 1.0)  # 10 ms and critically damped: stable at time steps up to 5 ms
SOLIMP = (0.97, 0.995, 0.001, 0.5, 2.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
KINDS = {"slide": mujoco.mjtJoint.mjJNT_SLIDE, "hinge": mujoco.mjtJoint.mjJNT_HINGE}
Colour = tuple[float, float, float]


class ObjectBuilder:
    """One object in the making. Everything is given in the object's own frame, joints at zero.

    Attributes:
        properties: Of its category.
        spec: The model so far.
    """

    def __init__(self, category: str) -> None:
        self.properties = object_properties(category)
        self.spec = mujoco.MjSpec()
        self.spec.modelname = category
        self.spec.compiler.degree = False
        self._bodies = {"main": self.spec.worldbody.add_body(name="main")}
        self._origins = {"main": np.zeros(3)}
        self._solids: list[tuple[mujoco.MjsGeom, float]] = []

    def part(self, name: str, position: npt.ArrayLike = (0.0, 0.0, 0.0)) -> None:
        """A body fixed to the main one, or with the joints that are given for it.

        Args:
            name: Body name.
            position: Its origin in the object's frame [m]; its axes are the object's.
        """
        self._bodies[name] = self._bodies["main"].add_body(name=name, pos=np.array(position, dtype=np.float64))
        self._origins[name] = np.array(position, dtype=np.float64)
        for joint, given in self.properties.joints.items():
            if given.body == name:
                self._bodies[name].add_joint(
                    name=joint,
                    type=KINDS[given.kind],
                    axis=given.axis,
                    pos=np.subtract(given.anchor, position),
                    range=(given.low, given.high),
                    limited=True,
                    damping=[given.damping, 0.0, 0.0],
                )

    def show(
        self,
        mesh: Mesh,
        colour: Colour = (1.0, 1.0, 1.0),
        texture: ImageArray | None = None,
        *,
        gloss: float = 0.3,
        opacity: float = 1.0,
        name: str | None = None,
        body: str = "main",
    ) -> mujoco.MjsGeom:
        """Add something to look at; it weighs nothing and touches nothing.

        Args:
            mesh: Its surface.
            colour: Red, green, blue, 0 to 1; a texture is multiplied by it.
            texture: Shape (H, W, 3) uint8, its first row at v = 0.
            gloss: 0 for paper, 1 for polished metal.
            opacity: 1 for solid.
            name: Name of the geom and of its material, where the picture depends on the state.
            body: Body it belongs to.
        """
        geom = self._bodies[body].add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=self._mesh(mesh.moved(-self._origins[body])),
            material=self._material(colour, texture, gloss, opacity, name),
            group=VISUAL,
            contype=0,
            conaffinity=0,
            mass=0.0,
        )
        if name is not None:
            geom.name = name
        return geom

    def collide_box(
        self,
        centre: npt.ArrayLike,
        half_size: npt.ArrayLike,
        quaternion: npt.ArrayLike = UPRIGHT,
        body: str = "main",
    ) -> mujoco.MjsGeom:
        """Add a box to touch, with mass.

        Args:
            centre: Its centre (3,) [m].
            half_size: Half its lengths (3,) [m].
            quaternion: Its turn (wxyz).
            body: Body it belongs to.
        """
        volume = 8.0 * float(np.asarray(half_size).prod())
        return self._solid(mujoco.mjtGeom.mjGEOM_BOX, centre, half_size, quaternion, body, volume)

    def collide_between(self, low: npt.ArrayLike, high: npt.ArrayLike, body: str = "main") -> mujoco.MjsGeom:
        """Add an upright box to touch between two corners (3,) [m]."""
        return self.collide_box(np.add(low, high) / 2, np.subtract(high, low) / 2, body=body)

    def collide_cylinder(
        self,
        centre: npt.ArrayLike,
        radius: float,
        half_length: float,
        quaternion: npt.ArrayLike = UPRIGHT,
        body: str = "main",
    ) -> mujoco.MjsGeom:
        """Add a cylinder to touch, with mass; its axis is z before `quaternion` turns it."""
        volume = 2.0 * np.pi * radius**2 * half_length
        size = (radius, half_length, 0.0)
        return self._solid(mujoco.mjtGeom.mjGEOM_CYLINDER, centre, size, quaternion, body, volume)

    def finish(self) -> mujoco.MjSpec:
        """The model, with its sites, and its mass spread over the collision shapes by their volume."""
        whole = sum(volume for _, volume in self._solids)
        for geom, volume in self._solids:
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

    def _solid(
        self,
        kind: mujoco.mjtGeom,
        centre: npt.ArrayLike,
        size: npt.ArrayLike,
        quaternion: npt.ArrayLike,
        body: str,
        volume: float,
    ) -> mujoco.MjsGeom:
        geom = self._bodies[body].add_geom(
            type=kind,
            pos=np.subtract(centre, self._origins[body]),
            size=size,
            quat=quaternion,
            group=COLLISION,
            condim=4,
            friction=(self.properties.friction, TORSIONAL, ROLLING),
            solref=SOLREF,
            solimp=SOLIMP,
        )
        self._solids.append((geom, volume))
        return geom

    def _mesh(self, mesh: Mesh) -> str:
        name = f"shape{len(self.spec.meshes)}"
        indices = np.ascontiguousarray(mesh.faces, np.int32).ravel()
        self.spec.add_mesh(
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

    def _material(
        self, colour: Colour, texture: ImageArray | None, gloss: float, opacity: float, name: str | None
    ) -> str:
        label = name or f"look{len(self.spec.materials)}"
        material = self.spec.add_material(
            name=label, rgba=(*colour, opacity), specular=0.6 * gloss, shininess=gloss, reflectance=0.0
        )
        if texture is not None:
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB.value] = self._texture(texture, label)
        return label

    def _texture(self, image: ImageArray, label: str) -> str:
        height, width, channels = image.shape
        made = self.spec.add_texture(
            name=label, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=channels
        )
        made.data = image.tobytes()
        return label
