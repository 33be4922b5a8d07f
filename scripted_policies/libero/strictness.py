"""How much room a plan asks for. Where nothing is found, a less strict one is tried."""

from dataclasses import dataclass

from ambidex.scripted_policies.libero.grasps import OPEN


@dataclass(frozen=True, kw_only=True)
class Strictness:
    """What a plan has to keep to.

    Attributes:
        cautious: Hand and arm keep a margin from everything, and the arm has to get there from its posture.
        agile: Postures in which the arm creeps are left out.
        widest: Opening of the fingers on the way to a grasp, at most [m].
    """

    cautious: bool = True
    agile: bool = True
    widest: float = OPEN
