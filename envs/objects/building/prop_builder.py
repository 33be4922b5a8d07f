"""Makes the MuJoCo model of an object of a task written in Python, from simple shapes that are seen and collide."""

import math

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from ambidex.envs.objects.building.builder import UPRIGHT, add_material, add_mesh, add_visual_geom
from ambidex.envs.objects.building.mesh import Colour, Mesh
from ambidex.envs.types import ImageArray

SOLREF = (0.01, 1.0)
SOLIMP = (0.98, 0.999, 0.001, 0.5, 2.0)  # as of ACT's cube
BALL_SOLREF = (0.004, 1.0)  # light and quick, they would come too deep into each other with that of the others
BALL_PRIORITY = 2  # over what they touch
TORSIONAL, ROLLING = 0.005, 0.0001  # friction of a contact patch and of a rolling body [m]
HINGE, SLIDE = mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE


class PropBuilder:
    """Builds the model of an object: shapes of its body, and of the parts that are joined to it.

    Positions are in the frame of the body that a shape belongs to, sizes are halves, all in metres. Colours have three
    numbers from 0 to 1.

    Args:
        name: Name of the object's body.
        density: Of all shapes [kg/m^3].
        friction: Coefficient of sliding friction. A contact has the larger one of its two.
        free: The object has a free joint; otherwise it is to be fixed (`Prop.fixed`).
        armature: Inertia that is added to each degree of freedom of the free joint [kg and kg m^2]. A constraint is as
            stiff as the lightest thing it acts on allows.
        damping: Of each degree of freedom of the free joint [N s/m and N m s]. What hangs or rolls comes to rest by it.

    Attributes:
        spec: The model so far.
    """

    def __init__(
        self,
        name: str,
        *,
        density: float = 400.0,
        friction: float = 1.0,
        free: bool = True,
        armature: float = 0.0,
        damping: float = 0.0,
    ) -> None:
        self.spec = mujoco.MjSpec()
        self.spec.modelname = name
        self.spec.compiler.degree = False
        self._name, self._density, self._friction = name, density, friction
        body = self.spec.worldbody.add_body(name=name)
        if free:
            joint = body.add_freejoint(name=f"{name}_joint")
            joint.armature, joint.damping = armature, [damping, 0.0, 0.0]
        self._bodies = {name: body}

    def part(
        self,
        name: str,
        position: ArrayLike,
        *,
        joint: mujoco.mjtJoint,
        axis: ArrayLike,
        span: tuple[float, float],
        of: str = "",
        damping: float = 0.0,
        stiffness: float = 0.0,
        armature: float = 0.0,
        friction: float = 0.0,
    ) -> None:
        """Add a body that moves by one joint, called `<name>_joint`, about or along an axis through `position`.

        It does not collide with the object it is joined to.

        Args:
            name: Name of the body.
            position: Of its origin in the frame of the object (3,).
            joint: `HINGE` or `SLIDE`.
            axis: Of the joint (3,).
            span: Lowest and highest joint position [rad or m].
            of: The part that it is joined to; the object itself by default.
            damping: Of the joint [N m s/rad or N s/m].
            stiffness: Of a spring that pulls the joint to 0 [N m/rad or N/m].
            armature: Inertia that is added to the joint [kg m^2 or kg].
            friction: Force or torque of dry friction [N or N m].
        """
        body = self._bodies[of or self._name].add_body(name=name, pos=np.asarray(position, np.float64))
        made = body.add_joint(name=f"{name}_joint", type=joint, axis=axis, range=span, limited=True)
        made.damping, made.stiffness = [damping, 0.0, 0.0], [stiffness, 0.0, 0.0]
        made.armature, made.frictionloss = armature, friction
        for other in self._bodies:
            self.spec.add_exclude(bodyname1=other, bodyname2=name)
        self._bodies[name] = body

    def box(
        self,
        centre: ArrayLike,
        half_size: ArrayLike,
        colour: Colour,
        *,
        quaternion: ArrayLike = UPRIGHT,
        name: str = "",
        body: str = "",
    ) -> None:
        """Add a box."""
        self._shape(mujoco.mjtGeom.mjGEOM_BOX, centre, half_size, colour, quaternion, name, body)

    def cylinder(
        self,
        centre: ArrayLike,
        radius: float,
        half_length: float,
        colour: Colour,
        *,
        quaternion: ArrayLike = UPRIGHT,
        name: str = "",
        body: str = "",
    ) -> None:
        """Add a cylinder about the z axis, or about that axis turned by a quaternion (wxyz)."""
        size = (radius, half_length, 0.0)
        self._shape(mujoco.mjtGeom.mjGEOM_CYLINDER, centre, size, colour, quaternion, name, body)

    def capsule(
        self, start: ArrayLike, end: ArrayLike, radius: float, colour: Colour, *, name: str = "", body: str = ""
    ) -> None:
        """Add a capsule from one point to another."""
        geom = self._shape(mujoco.mjtGeom.mjGEOM_CAPSULE, (0, 0, 0), (radius, 0, 0), colour, UPRIGHT, name, body)
        geom.fromto = [*np.asarray(start, np.float64), *np.asarray(end, np.float64)]

    def ball(self, radius: float, colour: Colour) -> None:
        """Add a ball about the origin, without friction where it touches something.

        It comes to rest by the damping of its joint. With friction the solver needs far more iterations: decision 0029.
        """
        geom = self._shape(mujoco.mjtGeom.mjGEOM_SPHERE, (0, 0, 0), (radius, 0, 0), colour, UPRIGHT, "", "")
        geom.condim, geom.priority, geom.solref = 1, BALL_PRIORITY, BALL_SOLREF

    def ellipsoid(self, centre: ArrayLike, half_size: ArrayLike, colour: Colour) -> None:
        """Add an ellipsoid."""
        self._shape(mujoco.mjtGeom.mjGEOM_ELLIPSOID, centre, half_size, colour, UPRIGHT, "", "")

    def ring(
        self, radius: float, bottom: float, top: float, thickness: float, colour: Colour, *, count: int = 16
    ) -> None:
        """Add an upright round wall of `count` boxes about the z axis, of an inner radius."""
        middle, half_width = radius + thickness / 2, (radius + thickness) * math.tan(math.pi / count)
        for turn in np.arange(count) * (2 * math.pi / count):
            centre = (middle * math.cos(turn), middle * math.sin(turn), (bottom + top) / 2)
            about_z = (math.cos(turn / 2), 0.0, 0.0, math.sin(turn / 2))
            self.box(centre, (thickness / 2, half_width, (top - bottom) / 2), colour, quaternion=about_z)

    def look(
        self,
        mesh: Mesh,
        colour: Colour,
        *,
        texture: ImageArray | None = None,
        gloss: float = 0.3,
        body: str = "",
    ) -> None:
        """Add a surface that is only seen; the colour is multiplied by the texture (H, W, 3) uint8."""
        label = f"look{len(self.spec.materials)}"
        material = add_material(self.spec, label, (*colour, 1.0), texture, 0.6 * gloss, gloss)
        shape = add_mesh(self.spec, f"shape{len(self.spec.meshes)}", mesh)
        add_visual_geom(self._bodies[body or self._name], shape, material)

    def mass(self, body: str, mass: float, radius: float) -> None:
        """Give a part without shapes the mass [kg] of a small ball of a radius [m]."""
        made = self._bodies[body]
        made.mass, made.inertia, made.explicitinertial = mass, (0.4 * mass * radius**2,) * 3, True

    def hide_shapes(self) -> None:
        """Make all shapes so far invisible: the object is seen by what `look` adds."""
        for geom in self.spec.geoms:
            if geom.contype:
                geom.rgba, geom.group = (0.5, 0.5, 0.5, 1.0), 3

    def site(self, name: str, position: ArrayLike, *, body: str = "") -> None:
        """Mark a point, for goals and experts to read."""
        made = self._bodies[body or self._name].add_site(name=name, pos=np.asarray(position, np.float64), group=4)
        made.size = (0.003, 0.003, 0.003)

    def _shape(
        self,
        kind: mujoco.mjtGeom,
        centre: ArrayLike,
        size: ArrayLike,
        colour: Colour,
        quaternion: ArrayLike,
        name: str,
        body: str,
    ) -> mujoco.MjsGeom:
        geom = self._bodies[body or self._name].add_geom(type=kind, pos=centre, size=size, name=name, condim=4)
        geom.quat, geom.density, geom.rgba = quaternion, self._density, (*colour, 1.0)
        geom.friction, geom.solref, geom.solimp = (self._friction, TORSIONAL, ROLLING), SOLREF, SOLIMP
        return geom
