"""Figures of LIBERO's operational space control (robosuite's OSC_POSE)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OscSettings:
    """Gains and limits. Damping is critical everywhere.

    Attributes:
        position_scale: Metres that an action of 1 asks for [m].
        rotation_scale: Radians that an action of 1 asks for [rad].
        stiffness: Acceleration per error of the tool [1/s^2].
        posture_stiffness: Acceleration per joint error from home, where the tool does not feel it [1/s^2].
        torque_limits: Of the joints [N m].
        speed_limits: Of the joints, from the maker's sheet [rad/s].
        friction: Loss in a moving joint [N m].
        friction_speed: Speed at which the loss is whole [rad/s].
        damping: Added where the tool cannot move, so that inverses stay bounded [1/kg].
        refreshes: How often per control step Jacobian and masses are computed anew.
        substeps: Integration steps between two refreshes.
        held: Torque up to which a load is carried without the reference giving way [N m].
        leak: Share of a greater lead over the arm that the reference gives up per control step, all if it is blocked.
        still: Joint speed below which standing still is no sign of being blocked [rad/s].
    """

    position_scale: float = 0.05
    rotation_scale: float = 0.5
    stiffness: float = 150.0
    posture_stiffness: float = 10.0
    torque_limits: tuple[float, ...] = (80.0, 80.0, 80.0, 80.0, 80.0, 12.0, 12.0)
    speed_limits: tuple[float, ...] = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
    friction: float = 0.1
    friction_speed: float = 0.01
    damping: float = 1e-4
    refreshes: int = 2
    substeps: int = 6
    held: tuple[float, ...] = (4.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0)
    leak: float = 0.35
    still: float = 0.01
