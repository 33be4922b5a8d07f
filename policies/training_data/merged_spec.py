"""One EnvSpec for several datasets, or a list of what they disagree on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.embodiment import embodiment
from ambidex.text import first_few

BETWEEN = "; "
"""What stands between the instructions of several datasets in the spec of them all."""
MUST_BE_SAID = ("spread", "success", "settle_steps")
"""Fields in which datasets may differ, but not in silence."""
MUST_AGREE = ("family", "robot", "control", "control_hz", "action_names", "joint_names")


def merged_spec(specs: Mapping[Path, EnvSpec]) -> EnvSpec:
    """What all datasets have in common: the cameras of all, and the objects if all have the same.

    Raises:
        UsageError: They cannot be trained on together; the message lists the differences.
    """
    first_path, first = next(iter(specs.items()))
    differing = {path: found for path, spec in specs.items() if (found := _differences(first, spec))}
    if differing:
        lines = [f"{path} differs from {first_path} in {first_few(found)}" for path, found in differing.items()]
        raise UsageError(f"These datasets cannot be trained on together: {first_few(lines)}. {_remedy(specs.values())}")
    return _merge(first, list(specs.values()))


def said_differences(specs: Mapping[Path, EnvSpec]) -> list[str]:
    """What a person should know of datasets that are trained on together, a sentence each."""
    return [
        f"The datasets differ in {name}, and are trained on together: "
        + "; ".join(f"{path} has {getattr(spec, name)}" for path, spec in specs.items())
        for name in MUST_BE_SAID
        if len({getattr(spec, name) for spec in specs.values()}) > 1
    ]


def _differences(first: EnvSpec, other: EnvSpec) -> list[str]:
    """Of several robots, only that and in which fields; else with what they have, long names by their number."""
    names = list(MUST_AGREE)
    if set(first.cameras) & set(other.cameras):
        names.append("image_size")
    differing = [name for name in names if getattr(first, name) != getattr(other, name)]
    if first.robot == other.robot:
        return [f"{name}: {_pair(getattr(first, name), getattr(other, name))}" for name in differing]
    also = f" (and {', '.join(name for name in differing if name != 'robot')})" if len(differing) > 1 else ""
    return [f"robot: {first.robot!r} != {other.robot!r}{also}"]


def _pair(first: object, other: object) -> str:
    if not (isinstance(first, tuple) and all(isinstance(name, str) for name in first) and isinstance(other, tuple)):
        return f"{first!r} != {other!r}"
    apart = [f"{own} != {theirs}" for own, theirs in zip(first, other, strict=False) if own != theirs]
    return f"{len(first)} names != {len(other)}" if len(first) != len(other) else ", ".join(apart[:1])


def _remedy(specs: Iterable[EnvSpec]) -> str:
    if len({embodiment(spec) for spec in specs}) > 1:
        return "Train on those that agree; several robots: --policy uniact."
    return "Train on those that agree, or record or render the others again with the same flags."


def _merge(first: EnvSpec, specs: Sequence[EnvSpec]) -> EnvSpec:
    same_objects = len({spec.object_names for spec in specs}) == 1
    return replace(
        first,
        task="+".join(dict.fromkeys(spec.task for spec in specs)),
        instruction=BETWEEN.join(dict.fromkeys(spec.instruction for spec in specs)),
        horizon=max(spec.horizon for spec in specs),
        cameras=tuple(name for name in first.cameras if all(name in spec.cameras for spec in specs)),
        stages=first.stages if len({spec.stages for spec in specs}) == 1 else (),
        object_names=first.object_names if same_objects else (),
    )
