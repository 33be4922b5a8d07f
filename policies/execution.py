"""Which way of playing chunks is meant, as a value."""

from dataclasses import dataclass

from ambidex.envs.types import Agent
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.chunking import Ask, ChunkExecution, EnsembleExecution, FirstExecution

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
