"""Which way of playing chunks is meant, as a value."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ambidex.envs.types import NO_CODE, Agent, Float32Array, FloatArray, Observation
from ambidex.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.policies.messages import Chunk

# FOLDED policies.chunking: How a chunk of predicted actions becomes one action per step. Each agent decorates any source of chunks.

Ask = Callable[[Observation], Chunk]
"""An observation -> the next K actions."""

DECAY = 0.01  # the original ACT's m


class ChunkExecution:
    """Open loop: asks for a chunk, plays its first actions without looking, asks again.

    Args:
        ask: Where chunks come from.
        steps: Actions played before the next request; None for the whole chunk.

    Attributes:
        code: Of the chunk that is played.
    """

    def __init__(self, ask: Ask, steps: int | None = None) -> None:
        self._ask, self._steps = ask, steps
        self._actions: Float32Array | None = None
        self._played = 0
        self.code = NO_CODE

    def reset(self, observation: Observation, seed: int) -> None:
        self._actions, self._played, self.code = None, 0, NO_CODE

    def act(self, observation: Observation) -> Float32Array:
        if self._actions is None or self._played == len(self._actions):
            chunk = _checked(self._ask(observation))
            self._actions, self._played, self.code = chunk.actions[: self._steps], 0, chunk.code
        self._played += 1
        action: Float32Array = self._actions[self._played - 1]
        return action


class FirstExecution:
    """Closed loop: asks at every step and plays the first action alone.

    Args:
        ask: Where chunks come from.

    Attributes:
        code: Of the last chunk.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.code = NO_CODE

    def reset(self, observation: Observation, seed: int) -> None:
        self.code = NO_CODE

    def act(self, observation: Observation) -> Float32Array:
        chunk = _checked(self._ask(observation))
        self.code = chunk.code
        action: Float32Array = chunk.actions[0]
        return action


class EnsembleExecution:
    """Temporal ensembling: asks at every step and averages what all chunks that reach this step say about it.

    The weights are w_i = exp(-m i) with i = 0 for the oldest prediction, as in the original ACT (Zhao et al.,
    "Learning fine-grained bimanual manipulation with low-cost hardware", RSS 2023, section IV-C). Every prediction
    made in this episode counts; the original takes an action of zeros for a missing one.

    Args:
        ask: Where chunks come from, all of one length K.
        m: How fast newer predictions lose weight; 0 weighs all alike.

    Attributes:
        code: Of the newest chunk: what the policy chose for this step, though older ones weigh in the action.
    """

    def __init__(self, ask: Ask, m: float = DECAY) -> None:
        self._ask, self._m = ask, m
        self._ring: Float32Array | None = None  # (K, K, A): slot t % K holds the chunk asked for at step t
        self._step = 0
        self.code = NO_CODE

    def reset(self, observation: Observation, seed: int) -> None:
        self._ring, self._step, self.code = None, 0, NO_CODE

    def act(self, observation: Observation) -> Float32Array:
        newest = _checked(self._ask(observation))
        chunk, self.code = newest.actions, newest.code
        if self._ring is None:
            self._ring = np.zeros((len(chunk), *chunk.shape), np.float32)
        self._ring[self._step % len(chunk)] = chunk
        action = self._mean(self._ring)
        self._step += 1
        return action

    def _mean(self, ring: Float32Array) -> Float32Array:
        length = len(ring)
        ages = np.arange(min(self._step, length - 1), -1, -1)  # oldest first
        predictions = ring[(self._step - ages) % length, ages].astype(np.float64)  # (ages, A)
        weights: FloatArray = np.exp(-self._m * np.arange(len(ages)))
        return np.asarray(weights @ predictions / weights.sum(), dtype=np.float32)


def _checked(chunk: Chunk) -> Chunk:
    shape = chunk.actions.shape
    if len(shape) != 2 or not shape[0]:
        raise InvalidActionError(f"A policy answered with shape {shape}; expected (K, A), one action or more.")
    return chunk


MODES = ("chunk", "first", "ensemble")
FIXED = " code:"
"""What stands before the code in the name of an execution that plays one code alone."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A way of playing chunks.

    Attributes:
        mode: "chunk", "first" or "ensemble".
        steps: Actions played before the next request; 1 unless the mode is "chunk".
        code: The code that all chunks are made from; None if the policy chooses, or has none.

    Raises:
        UnknownNameError: No such mode.
        UsageError: Fewer than one step.
    """

    mode: str
    steps: int
    code: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UnknownNameError("execution", self.mode, MODES)
        if self.steps < 1:
            raise UsageError(f"--execute-steps {self.steps}: expected 1 or more.")

    @property
    def name(self) -> str:
        """Short and complete, e.g. "chunk:100", "ensemble" or "chunk:4 code:17"."""
        how = f"{self.mode}:{self.steps}" if self.mode == "chunk" else self.mode
        return how if self.code is None else f"{how}{FIXED}{self.code}"

    def agent(self, ask: Ask) -> Agent:
        """The agent that plays the chunks of `ask` so."""
        if self.mode == "chunk":
            return ChunkExecution(ask, self.steps)
        return FirstExecution(ask) if self.mode == "first" else EnsembleExecution(ask)


def choose_execution(
    mode: str, steps: int | None, policy_steps: int | None, chunk_size: int, code: int | None = None
) -> Execution:
    """The execution that is meant.

    Args:
        mode: How chunks are played.
        steps: What the user asks for; None for the policy's choice.
        policy_steps: What the policy was made for; None if it does not say: the whole chunk.
        chunk_size: Actions it predicts at once.
        code: The code that all chunks are made from; None if the policy chooses, or has none.

    Raises:
        UnknownNameError: No such mode.
        UsageError: The steps do not fit the mode or the chunk.
    """
    if mode != "chunk":
        if steps is not None:
            raise UsageError(f"--execute-steps {steps}: it goes with --execution chunk; {mode} asks at every step.")
        return Execution(mode=mode, steps=1, code=code)
    chosen = next(n for n in (steps, policy_steps, chunk_size) if n is not None)
    if chosen > chunk_size:
        raise UsageError(f"--execute-steps {chosen}: this policy predicts {chunk_size} actions at once, so 1 to that.")
    return Execution(mode=mode, steps=chosen, code=code)
