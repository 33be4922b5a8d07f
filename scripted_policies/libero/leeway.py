"""How much a hand at a drawer is allowed. Where nothing is found, more is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Leeway:
    """What is allowed to a hand that moves a drawer.

    Attributes:
        close: It may pass things without a margin.
        elsewhere: The arm need not get there from its posture.
        shoves: It may shove loose things away.
    """

    close: bool = False
    elsewhere: bool = False
    shoves: bool = False
