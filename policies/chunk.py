"""What a policy answers. Needs numpy alone."""

from dataclasses import dataclass

from ambidex.envs.types import NO_CODE, Float32Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunk:
    """The next K actions.

    Attributes:
        actions: Shape (K, A) float32.
        code: The code they were made from, 0 or more; `NO_CODE` of a policy that has none.
    """

    actions: Float32Array
    code: int = NO_CODE
