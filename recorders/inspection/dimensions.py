"""The dimensions of states and actions over all episodes of a dataset: ranges, limits, jumps and idle steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec, Float32Array

CLIPPED = 0.05  # share of the steps at one limit from which a dimension counts as clipped
JUMP, TYPICAL = 0.3, 10.0  # a jump is a change of this share of the range, and so often that of 95 % of the steps
LEAST = 0.02  # of the largest range of all dimensions: less is noise in a dimension that hardly moves
SPARE = 0.25  # beyond 0 and 1 up to which a gripper's opening is believed
SWITCH = 3  # values of a dimension that switches between them, as some grippers do, and may jump
STILL = 1e-3  # change of every dimension in an idle step, as a share of its range
UNITS = {
    **dict.fromkeys("xyz", "m"),
    **dict.fromkeys(("qw", "qx", "qy", "qz"), ""),
    **dict.fromkeys(("dx", "dy", "dz"), "0.05 m"),
    **dict.fromkeys(("drx", "dry", "drz"), "0.5 rad"),
}
"""Last part of the name of a dimension -> what a value of 1 is; other dimensions are joints or grippers."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One number of the states or actions of a dataset, over all steps.

    Attributes:
        name: Its name.
        unit: What a value of 1 is; empty for none and where it is unknown.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Mean.
        std: Standard deviation.
        at_minimum: Share of the steps, 0 to 1, that have the smallest value and did not begin with it.
        at_maximum: Likewise of the largest value.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    mean: float
    std: float
    at_minimum: float
    at_maximum: float

    @property
    def constant(self) -> bool:
        """It has one value only."""
        return self.minimum == self.maximum

    @property
    def clipped(self) -> bool:
        """Many values are at a limit. Grippers are expected to be."""
        at_limit = max(self.at_minimum, self.at_maximum) >= CLIPPED
        return at_limit and not self.constant and not is_gripper(self.name)

    @property
    def impossible(self) -> bool:
        """An opening far from 0 to 1: the gripper has another unit than those of our robots."""
        return self.unit == "opening" and not -SPARE <= self.minimum <= self.maximum <= 1 + SPARE


def is_gripper(name: str) -> bool:
    """Whether a dimension opens and closes a gripper, which is often at its limits and may jump."""
    return name.endswith("gripper")


def are_increments(spec: EnvSpec) -> bool:
    """Whether actions are changes of a pose, which follow each other without being continuous."""
    return spec.control == "ee" and not (spec.family in FAMILIES and FAMILIES[spec.family].ee_is_pose)


def unit(name: str, spec: EnvSpec, *, action: bool) -> str:
    """The unit of a dimension; unknown if the robot is none of ours."""
    if spec.family not in FAMILIES:
        return ""
    if is_gripper(name):
        return "closing" if action and are_increments(spec) else "opening"
    return UNITS.get(name.rpartition("_")[2], "rad")


def dimensions(episodes: Sequence[Float32Array], spec: EnvSpec, *, action: bool) -> tuple[Dimension, ...]:
    """Summarise the dimensions of states, or of actions, shape (T, D) float32 for each episode."""
    values = np.concatenate(episodes)
    rests = not (action and are_increments(spec))  # positions wait at their first value, which is no limit
    moved = np.concatenate([each != each[:1] if rests else np.ones(each.shape, bool) for each in episodes])
    low, high = values.min(axis=0), values.max(axis=0)
    mean, std = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    at_low, at_high = (((values == limit) & moved).mean(axis=0) for limit in (low, high))
    columns = zip(*(each.tolist() for each in (low, high, mean, std, at_low, at_high)), strict=True)
    names = spec.action_names if action else spec.joint_names
    return tuple(
        Dimension(
            name=name,
            unit=unit(name, spec, action=action),
            minimum=minimum,
            maximum=maximum,
            mean=average,
            std=deviation,
            at_minimum=at_minimum,
            at_maximum=at_maximum,
        )
        for name, (minimum, maximum, average, deviation, at_minimum, at_maximum) in zip(names, columns, strict=True)
    )


def jumps(episodes: Sequence[Float32Array]) -> list[tuple[int, int, int]]:
    """(episode, step, dimension) of each change that is far larger than those of other steps, shape (T, D) each.

    The step is the one after the change.
    """
    changes = [np.abs(np.diff(each, axis=0)) for each in episodes]
    spans = _spans(episodes)
    typical = np.quantile(np.concatenate(changes), 0.95, axis=0) if any(map(len, changes)) else spans
    switches = np.array([len(np.unique(column)) <= SWITCH for column in np.concatenate(episodes).T])
    limit = np.maximum(np.maximum(JUMP * spans, TYPICAL * typical), LEAST * spans.max())
    limit[switches] = np.inf
    return [
        (episode, int(step) + 1, int(dimension))
        for episode, change in enumerate(changes)
        for step, dimension in np.argwhere(change > limit)
    ]


def continuous_quaternions(
    episodes: Sequence[Float32Array], names: Sequence[str]
) -> tuple[list[Float32Array], dict[str, int]]:
    """Quaternions with the sign that is closest to the step before; q and -q are the same rotation.

    Returns:
        The values, shape (T, D) for each episode, and how often each quaternion changes its sign, by the name of its w.
    """
    result = [each.copy() for each in episodes]
    flips: dict[str, int] = {}
    for first in (i for i, name in enumerate(names) if name.endswith("_qw")):
        for values in result:
            quaternions = values[:, first : first + 4]
            turned = (quaternions[1:] * quaternions[:-1]).sum(axis=1) < 0
            flips[names[first]] = flips.get(names[first], 0) + int(turned.sum())
            quaternions[1:] *= np.where(np.cumsum(turned) % 2, -1, 1)[:, None]
    return result, {name: count for name, count in flips.items() if count}


def idle_steps(episodes: Sequence[Float32Array]) -> list[int]:
    """For each episode (T, D), in how many steps no dimension changes by more than `STILL` of its range."""
    limits = STILL * _spans(episodes)
    return [int((np.abs(np.diff(each, axis=0)) <= limits).all(axis=1).sum()) for each in episodes]


def duplicates(digests: Sequence[str]) -> list[tuple[int, int]]:
    """(episode, earlier episode) for each that is the same as an earlier one."""
    first: dict[str, int] = {}
    return [(i, found) for i, digest in enumerate(digests) if (found := first.setdefault(digest, i)) != i]


def _spans(episodes: Sequence[Float32Array]) -> npt.NDArray[np.float64]:
    values = np.concatenate(episodes).astype(np.float64)
    spans: npt.NDArray[np.float64] = values.max(axis=0) - values.min(axis=0)
    return spans
