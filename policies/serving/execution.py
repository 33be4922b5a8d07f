"""How a chunk of predicted actions becomes one action per step: chunk by chunk, first action only, or ensembled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ambidex.envs.types import NO_CODE, CodedAgent, Float32Array, FloatArray, Observation
from ambidex.errors import InvalidActionError, UsageError, check_name
from ambidex.policies.messages import Chunk

PredictChunk = Callable[[Observation], Chunk]
"""An observation -> the next K actions."""

ENSEMBLE_DECAY = 0.01  # the original ACT's m
MODES = ("chunk", "first", "ensemble")
CODE_PREFIX = " code:"
"""Comes before the code in the name of an execution with one fixed code."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A way of executing chunks.

    Attributes:
        mode: "chunk", "first" or "ensemble".
        steps: Actions executed before the next prediction; 1 unless the mode is "chunk".
        code: The code that all chunks are made from; None if the policy chooses, or has none.

    Raises:
        UnknownNameError: No such mode.
        UsageError: Fewer than one step.
    """

    mode: str
    steps: int
    code: int | None = None

    def __post_init__(self) -> None:
        check_name("execution", self.mode, MODES)
        if self.steps < 1:
            raise UsageError(f"--execute-steps {self.steps} (--replan): expected 1 or more.", field="execute_steps")

    @property
    def name(self) -> str:
        """Short and complete, e.g. "chunk:100", "ensemble" or "chunk:4 code:17"."""
        name = f"{self.mode}:{self.steps}" if self.mode == "chunk" else self.mode
        return name if self.code is None else f"{name}{CODE_PREFIX}{self.code}"

    def agent(self, predict: PredictChunk) -> CodedAgent:
        """The agent that executes the chunks of `predict` in this way."""
        if self.mode == "ensemble":
            return EnsembleExecution(predict)
        return ChunkExecution(predict, self.steps if self.mode == "chunk" else 1)


def choose_execution(
    mode: str, steps: int | None, policy_steps: int | None, chunk_size: int, code: int | None = None
) -> Execution:
    """The execution of a benchmark or rollout.

    Args:
        mode: One of `MODES`.
        steps: Actions per chunk that the user asks for; None for the policy's own number.
        policy_steps: The policy's own number; None for the whole chunk.
        chunk_size: Actions per prediction.
        code: See `Execution`.

    Raises:
        UnknownNameError: No such mode.
        UsageError: The steps do not fit the mode or the chunk.
    """
    if mode != "chunk":
        if steps is not None:
            problem = f"--execute-steps {steps} (--replan) requires --execution chunk; {mode} predicts at every step."
            raise UsageError(problem, field="execute_steps")
        return Execution(mode=mode, steps=1, code=code)
    chosen = next(n for n in (steps, policy_steps, chunk_size) if n is not None)
    if chosen > chunk_size:
        problem = f"--execute-steps {chosen} (--replan): expected 1 to {chunk_size}, the chunk size of this policy."
        raise UsageError(problem, field="execute_steps", expected=chunk_size)
    return Execution(mode=mode, steps=chosen, code=code)


class ChunkExecution:
    """Open loop: predicts a chunk, executes its first actions, then predicts again.

    With no number of steps the whole chunk is executed; with 1 the loop is closed.

    Attributes:
        code: Of the current chunk.
    """

    def __init__(self, predict: PredictChunk, steps: int | None = None) -> None:
        self._predict, self._steps = predict, steps
        self._actions: Float32Array | None = None
        self._executed = 0
        self.code = NO_CODE

    def __repr__(self) -> str:
        return f"<ChunkExecution: {self._steps or 'all'} actions of each chunk>"

    def reset(self, observation: Observation, seed: int) -> None:
        self._actions, self._executed, self.code = None, 0, NO_CODE

    def act(self, observation: Observation) -> Float32Array:
        if self._actions is None or self._executed == len(self._actions):
            chunk = _checked(self._predict(observation))
            self._actions, self._executed, self.code = chunk.actions[: self._steps], 0, chunk.code
        self._executed += 1
        action: Float32Array = self._actions[self._executed - 1]
        return action


class EnsembleExecution:
    """Temporal ensembling: predicts at every step and averages the predictions of all chunks for that step.

    The weights are w_i = exp(-m i) with i = 0 for the oldest prediction, as in the original ACT (Zhao et al.,
    "Learning fine-grained bimanual manipulation with low-cost hardware", RSS 2023, section IV-C). Every prediction
    made in this episode counts; the original treats an action of zeros as a missing one. All chunks have one length K.

    Attributes:
        code: Of the newest chunk, though older chunks also contribute to the action.
    """

    def __init__(self, predict: PredictChunk, m: float = ENSEMBLE_DECAY) -> None:
        self._predict, self._m = predict, m
        self._ring: Float32Array | None = None  # (K, K, A): slot t % K holds the chunk predicted at step t
        self._step = 0
        self.code = NO_CODE

    def __repr__(self) -> str:
        return f"<EnsembleExecution: averages overlapping chunks, m = {self._m}>"

    def reset(self, observation: Observation, seed: int) -> None:
        self._ring, self._step, self.code = None, 0, NO_CODE

    def act(self, observation: Observation) -> Float32Array:
        newest = _checked(self._predict(observation))
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
        raise InvalidActionError(f"A policy answered with shape {shape}; expected (K, A) with K > 0.", got=shape)
    return chunk
