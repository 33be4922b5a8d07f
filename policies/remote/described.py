"""What `serve-policy` says about a policy, from which the layout `ambidex` follows."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ambidex.codec import from_json
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.messages import history_offsets
from ambidex.policies.remote.layouts import LAYOUTS, ImageFormat, Layout
from ambidex.text import first_few

STATE_NAMES = {"qpos": "joint_names", "objects": "object_names"}
"""Part of the state -> field of a spec with the names that belong to it."""


@dataclass(frozen=True, kw_only=True)
class DescribedPolicy:
    """The fields of these names in the metadata of a server."""

    robot: str
    control: str
    control_hz: float
    dynamics: str
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    render_quality: str
    state: Mapping[str, tuple[str, ...]]
    action_names: tuple[str, ...]
    execute_steps: int
    needs_instruction: bool = True
    instructions: tuple[str, ...] = ()
    history: int = 1
    stride: int = 1

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self:
        """The description in the metadata of a server.

        Raises:
            UsageError: There is none.
        """
        try:
            names = {field.name for field in fields(cls)} & set(metadata)
            found = from_json(cls, {name: metadata[name] for name in names})
            if unknown := set(found.state) - set(STATE_NAMES):
                raise ValueError(f"state: unknown {', '.join(sorted(unknown))}")
            return found
        except ValueError as error:
            problem = (
                f"--layout ambidex: the metadata of this server do not describe a policy of serve-policy ({error})."
            )
            others = [name for name in LAYOUTS if name != "ambidex"]
            raise UsageError(problem, f"Give another layout: {', '.join(others)}.", expected=others) from error

    @property
    def layout(self) -> Layout:
        """How it expects observations: as they are, under the names that they have here."""
        return Layout(
            control=self.control,
            cameras={f"images/{camera}": camera for camera in self.cameras},
            images=ImageFormat(),
            state={part: (part,) for part in self.state},
            prompt="prompt",
            nested=True,
            replan=self.execute_steps,
            image_size=self.image_size,
            render_quality=self.render_quality,
            offsets=history_offsets(self.history, self.stride),
        )

    def check(self, spec: EnvSpec) -> None:
        """Raise a UsageError that lists the differences unless the policy can act in an environment."""
        own = {name: getattr(self, name) for name in ("robot", "control_hz", "dynamics", "action_names")}
        own |= {STATE_NAMES[part]: names for part, names in self.state.items()}
        found = [
            f"{name}: the policy has {value}, the environment {getattr(spec, name)}"
            for name, value in own.items()
            if value != getattr(spec, name)
        ]
        if self.instructions and spec.instruction not in self.instructions:
            found.append(f"instruction: the policy knows {first_few(self.instructions)}, not {spec.instruction!r}")
        if found:
            raise UsageError(f"The policy cannot act in {spec.task}: {'; '.join(found)}.", got=found)
