"""A fixture in its arena with one object, to evaluate predicates on."""

import mujoco
import numpy as np

from ambidex.envs.arenas.libero import arena_of
from ambidex.envs.objects.registry import object_spec
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray

FIXTURE, OBJECT = "fixture_1", "object_1"
PLACES = {  # arena, xy and yaw of each fixture, as in LIBERO's tasks
    "wooden_cabinet": ("libero_kitchen_tabletop_manipulation", (0.0, -0.3), np.pi),
    "white_cabinet": ("libero_kitchen_tabletop_manipulation", (0.0, 0.3), 0.0),
    "flat_stove": ("libero_kitchen_tabletop_manipulation", (-0.2, 0.2), 0.0),
    "microwave": ("libero_kitchen_tabletop_manipulation", (0.0, 0.35), 0.0),
    "wine_rack": ("libero_kitchen_tabletop_manipulation", (-0.1, -0.3), np.pi),
    "desk_caddy": ("libero_study_tabletop_manipulation", (-0.4, -0.14), np.pi),
    "wooden_two_layer_shelf": ("libero_kitchen_tabletop_manipulation", (0.0, -0.25), np.pi),
}


class FixtureScene:
    """One fixture and one object, with the methods of `ModelWorld`.

    Attributes:
        model: Compiled model.
        data: Its current state.
        fixture: Pose of the fixture in the world.
    """

    def __init__(
        self,
        category: str,
        obj: str | None = None,
        timestep: float = 0.005,
        arena: str = "",
        finger: tuple[float, float, float] | None = None,
    ) -> None:
        problem, (x, y), yaw = PLACES[category]
        self._arena = arena_of(arena or problem)
        self._category = category
        self.fixture = Pose.at((x, y, self._arena.fixture_height(category)), quaternion_about((0, 0, 1), yaw))
        spec = self._arena.make_spec()
        spec.option.timestep = timestep
        if obj is not None:
            spec.attach(object_spec(obj), frame=spec.worldbody.add_frame(), prefix=OBJECT + "_")
            spec.body(f"{OBJECT}_main").add_freejoint(name=f"{OBJECT}_joint0")
        spec.attach(object_spec(category), frame=spec.worldbody.add_frame(), prefix=FIXTURE + "_")
        body = spec.body(f"{FIXTURE}_main")
        body.mocap, body.pos, body.quat = True, self.fixture.position, self.fixture.quaternion
        if finger is not None:
            _add_finger(spec, finger)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        mujoco.mj_forward(self.model, self.data)

    def put(self, position: object, quaternion: object = (1.0, 0.0, 0.0, 0.0)) -> None:
        """Place the object's frame at a pose given in the fixture's frame."""
        pose = self.fixture @ Pose.at(position, quaternion)
        self.data.joint(f"{OBJECT}_joint0").qpos = np.r_[pose.position, pose.quaternion]
        self.data.joint(f"{OBJECT}_joint0").qvel = 0.0
        mujoco.mj_forward(self.model, self.data)

    @property
    def surface_z(self) -> float:
        """Height of the table [m]."""
        return self._arena.surface_z

    def move_finger(self, pose: Pose) -> None:
        """Put the finger at a pose given in the fixture's frame, at rest."""
        placed = self.guide_finger(pose)
        self.data.joint("finger").qpos = np.r_[placed.position, placed.quaternion]
        self.data.joint("finger").qvel = 0.0
        mujoco.mj_forward(self.model, self.data)

    def guide_finger(self, pose: Pose) -> Pose:
        """Pull the finger towards a pose given in the fixture's frame; returns the pose in the world."""
        placed = self.fixture @ pose
        guide = int(self.model.body("guide").mocapid[0])
        self.data.mocap_pos[guide], self.data.mocap_quat[guide] = placed.position, placed.quaternion
        return placed

    def drag_finger(self, velocity: object, seconds: float) -> float:
        """Move the finger at a velocity [m/s] in the fixture's frame; returns the depth of the deepest contact [m]."""
        turned, deepest, step = np.empty(3), 0.0, float(self.model.opt.timestep)
        mujoco.mju_rotVecQuat(turned, np.asarray(velocity, dtype=np.float64), self.fixture.quaternion)
        guide = int(self.model.body("guide").mocapid[0])
        for _ in range(round(seconds / step)):
            self.data.mocap_pos[guide] += turned * step
            mujoco.mj_step(self.model, self.data)
            deepest = max(deepest, self.deepest())
        return deepest

    def run(self, seconds: float) -> None:
        mujoco.mj_step(self.model, self.data, round(seconds / self.model.opt.timestep))

    def push(self, body: str, force: object, seconds: float) -> None:
        """Push a body at its centre of mass with a force [N] in the fixture's frame for some time [s]."""
        turned = np.empty(3)
        mujoco.mju_rotVecQuat(turned, np.asarray(force, dtype=np.float64), self.fixture.quaternion)
        applied = self.data.xfrc_applied[self.model.body(f"{FIXTURE}_{body}").id]
        applied[:3] = turned
        self.run(seconds)
        applied[:3] = 0.0

    def joint(self, name: str) -> float:
        return float(self.data.joint(f"{FIXTURE}_{name}").qpos[0])

    def set_joint(self, name: str, value: float) -> None:
        self.data.joint(f"{FIXTURE}_{name}").qpos = value
        mujoco.mj_forward(self.model, self.data)

    def speed(self) -> float:
        """Greatest speed of any joint [m/s, rad/s]."""
        return float(np.abs(self.data.qvel).max())

    def deepest(self) -> float:
        """Depth of the deepest contact [m]."""
        return float(max((-self.data.contact.dist).max(initial=0.0), 0.0))

    def holds(self, predicate: str, region: str = "") -> bool:
        """Whether On or In of the object and a region holds, or a predicate of the fixture alone."""
        name = f"{FIXTURE}_{region}" if region else FIXTURE
        arguments = (OBJECT, name) if predicate in ("on", "in") else (name,)
        return holds(self, Atom(predicate=predicate, arguments=arguments))

    def is_region(self, name: str) -> bool:
        return name not in (FIXTURE, OBJECT)

    def owner(self, name: str) -> str:
        return FIXTURE if name.startswith(FIXTURE) else name

    def category(self, instance: str) -> str:
        return self._category

    def position(self, instance: str) -> FloatArray:
        return np.array(self.data.body(f"{instance}_main").xpos)

    def frames(self, region: str) -> tuple[RegionFrame, ...]:
        site = self.data.site(region)
        half_size = np.array(self.model.site_size[site.id])
        return (RegionFrame(position=site.xpos.copy(), rotation=site.xmat.reshape(3, 3).copy(), half_size=half_size),)

    def on_workspace(self, region: str) -> bool:
        return False

    def joint_positions(self, name: str) -> FloatArray:
        joints = {"top_region": "top_level", "middle_region": "middle_level", "bottom_region": "bottom_level"}
        names = joints.get(name.removeprefix(FIXTURE + "_"))
        if names is None:
            return np.array(
                [
                    self.data.qpos[self.model.joint(j).qposadr[0]]
                    for j in range(self.model.njnt)
                    if self.model.joint(j).name.startswith(FIXTURE)
                ]
            )
        return np.array([self.joint(names)])

    def touching(self, a: str, b: str) -> bool:
        pairs = self.model.geom_bodyid[self.data.contact.geom]
        first, second = self._family(a), self._family(b)
        return any((i in first and j in second) or (j in first and i in second) for i, j in pairs.tolist())

    def _family(self, instance: str) -> set[int]:
        return {i for i in range(self.model.nbody) if self.model.body(i).name.startswith(instance + "_")}


def _add_finger(spec: mujoco.MjSpec, size: tuple[float, float, float]) -> None:
    """A box without weight that follows a mocap body, as contacts ignore the speed of mocap bodies."""
    spec.worldbody.add_body(name="guide", mocap=True, pos=(0.0, 0.0, 2.0))
    body = spec.worldbody.add_body(name="finger", pos=(0.0, 0.0, 2.0), gravcomp=1.0)
    body.add_freejoint(name="finger")
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=size, condim=4, mass=1.0)
    weld = spec.add_equality(
        type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY, name1="guide", name2="finger"
    )
    weld.solref = (0.01, 1.0)
