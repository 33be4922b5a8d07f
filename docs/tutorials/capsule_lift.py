"""The task lift_cube with another robot. Copy it to envs/tasks/aloha/capsule_lift.py."""

from ambidex.envs.tasks.aloha.lift_cube import LiftCube


class CapsuleLift(LiftCube):
    """The right capsule arm lifts the cube and holds it still."""

    name = "capsule_lift"
    robot = "capsule_arms"
    instruction = "lift the red cube with the right capsule arm"
