"""What an environment, its observations and its actions show in a notebook."""

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from ambidex.envs.types import EnvSpec, Float32Array, Observation
from ambidex.text import html_card, text_table


class ActionSpace(spaces.Box):
    """The actions of an environment as a space of Gymnasium: all between the lowest and the highest useful one.

    Attributes:
        names: One name per dimension.
    """

    def __init__(self, low: Float32Array, high: Float32Array, names: Sequence[str]) -> None:
        super().__init__(low, high, dtype=np.float32)
        self.names = tuple(names)

    def __repr__(self) -> str:
        """A table of the dimensions."""
        limits = zip(self.names, self.low.tolist(), self.high.tolist(), strict=True)
        return text_table(
            ("action", "low", "high"), [(name, f"{low:.4g}", f"{high:.4g}") for name, low, high in limits]
        )


class ShownObservation(Observation):
    """An observation of an environment."""

    def _repr_html_(self) -> str:
        """For notebooks: numbers, and the images of all cameras."""
        numbers = {name: np.array2string(getattr(self, name), precision=3) for name in ("qpos", "qvel", "objects")}
        return html_card(repr(self), {"instruction": self.instruction, **numbers}, self.images)


def environment_html(title: str, spec: EnvSpec, observation: Observation) -> str:
    """An environment: what its task is, and the images of an observation."""
    facts = {
        "instruction": observation.instruction,
        "robot": f"{spec.robot}, {spec.control} control at {spec.control_hz:g} Hz, {spec.horizon} steps",
        "actions": ", ".join(spec.action_names),
        "stages": ", ".join(spec.stages),
    }
    return html_card(title, facts, observation.images)
