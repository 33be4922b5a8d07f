"""A real arm for `evaluate-robot`: six joints and a gripper, driven by the software `arm_vendor` of its maker."""

import arm_vendor
import numpy as np

from ambidex.benchmarks.robot.protocol import RobotObservation, RobotRequest, SafetyLimits
from ambidex.envs.types import EnvSpec

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
HOME = np.array([0, -1.2, 1.0, 0, 0.3, 0, 1])  # [rad], the gripper open


class BenchArm:
    """The arm with its two cameras."""

    spec = EnvSpec(
        task="stack the cups", family="", robot="bench_arm", control="joint", control_hz=50.0, horizon=600,
        spread="published", cameras=("front", "wrist"), image_size=(240, 320), render_quality="standard",
        instruction="stack the cups", stages=("none", "grasped", "stacked"), action_names=JOINTS,
        joint_names=JOINTS, object_names=(),
    )  # fmt: skip
    limits = SafetyLimits(
        low=(-3.1, -1.8, -1.7, -3.1, -1.8, -3.1, -0.1),  # positions [rad], then the opening of the gripper
        high=(3.1, 1.2, 1.6, 3.1, 2.2, 3.1, 1.1),
        speed=(2.0,) * 6 + (20.0,),  # [rad/s], [1/s]
        workspace=((0.1, -0.4, 0.01), (0.6, 0.4, 0.5)),  # lowest and highest corner [m]
    )

    def __init__(self, request: RobotRequest) -> None:
        self.arm = arm_vendor.connect("192.168.1.10")
        self.cameras = {name: arm_vendor.Camera(name, self.spec.image_size) for name in self.spec.cameras}

    def home(self, seed: int) -> None:
        self.arm.enable()
        self.arm.move_slowly_to(HOME)  # returns when it is there

    def observe(self) -> RobotObservation:
        state = self.arm.read()
        images = {name: camera.latest_rgb() for name, camera in self.cameras.items()}
        return RobotObservation(qpos=state.q, qvel=state.dq, images=images, ee_positions=state.tool[None, :3])

    def act(self, action: np.ndarray) -> None:
        self.arm.send_position(action)  # returns at once

    def stop(self) -> None:
        self.arm.hold()  # ignores commands until enable()

    def close(self) -> None:
        self.arm.disconnect()
