"""Reads the answers of foreign policies: chunks of actions, checked before they are executed."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import Float32Array
from ambidex.errors import RemotePolicyError

KEYS = ("actions", "action")
FAR = 10.0  # an action farther outside its limits than so many times their range is none of this robot


def read_actions(content: object, low: Float32Array, high: Float32Array, steps: int = 1) -> Float32Array:
    """The actions of an answer, shape (H, A) float32.

    Args:
        content: The message: an array (H, A) or (1, H, A), as it is or in a map under "actions" or "action".
        low: Lowest useful action, shape (A,).
        high: Highest useful action, shape (A,).
        steps: Actions that will be executed, at most H.

    Raises:
        RemotePolicyError: There is no such array, it has other sizes or fewer actions, or a value that is not finite or
            out of all proportion.
    """
    array = _array(content)
    actions = array[0] if array.ndim == 3 and len(array) == 1 else array
    if actions.ndim != 2 or actions.shape[1] != len(low) or not len(actions):
        problem = f"The policy answered with actions of shape {array.shape}, expected (H, {len(low)})."
        raise RemotePolicyError(problem, "Check --layout and --task.", got=array.shape, expected=len(low))
    if len(actions) < steps:
        problem = f"The policy answered with {len(actions)} actions, and {steps} are to be executed."
        raise RemotePolicyError(problem, "Give a smaller --replan.", got=len(actions), expected=steps)
    with np.errstate(over="ignore"):
        values = actions.astype(np.float32)
    _check_values(values, low, high)
    return values


def _array(content: object) -> npt.NDArray[Any]:
    found = next((content[key] for key in KEYS if key in content), None) if isinstance(content, dict) else content
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
        what = f"a map with {', '.join(map(repr, content))}" if isinstance(content, dict) else type(content).__name__
        kind = f", whose values are {found.dtype}" if isinstance(found, np.ndarray) else ""
        problem = f"The policy answered without actions: {what:.300}{kind}."
        raise RemotePolicyError(problem, "Expected a map with an array of numbers as 'actions'.", got=what)
    return found


def _check_values(actions: Float32Array, low: Float32Array, high: Float32Array) -> None:
    margin = FAR * (high - low)
    wrong = ~((actions >= low - margin) & (actions <= high + margin))  # also of NaN
    if wrong.any():
        step, dimension = (int(index) for index in np.argwhere(wrong)[0])
        value = float(actions[step, dimension])
        problem = (
            f"The policy answered with the action {value:g} in dimension {dimension} of step {step}, whose limits are "
            f"{low[dimension]:g} and {high[dimension]:g}; {int(wrong.sum())} of {wrong.size} values are like it."
        )
        hint = "Actions are to be in the units of the environment, not normalised, and finite."
        raise RemotePolicyError(problem, hint, got=value, step=step, dimension=dimension)
