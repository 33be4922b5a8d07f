"""Which kind of robot a spec is of."""

from ambidex.envs.types import EnvSpec


def embodiment(spec: EnvSpec) -> str:
    """A robot in a way to control it, for instance "viperx_bimanual-joint"."""
    return f"{spec.robot}-{spec.control}"
