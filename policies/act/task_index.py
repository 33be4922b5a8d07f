"""Which of the tasks it was trained on an instruction means."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ambidex.errors import UsageError

SHOWN = 5


class TaskIndex:
    """Instruction -> index.

    Args:
        instructions: Those of the training data, in the order of their indices.
    """

    def __init__(self, instructions: Sequence[str]) -> None:
        self._indices = {instruction: index for index, instruction in enumerate(instructions)}

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it would compile the loss anew for every mixture of tasks in a batch
    def __call__(self, instructions: Sequence[str], device: torch.device) -> Tensor:
        """The indices of instructions, shape (B,) int64.

        Raises:
            UsageError: One that it was not trained on; the message names some that it was.
        """
        unknown = [instruction for instruction in instructions if instruction not in self._indices]
        if unknown:
            known = list(self._indices)
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            raise UsageError(
                f"The policy was trained on {len(known)} tasks, and {unknown[0]!r} is none of them. It knows: "
                f"{'; '.join(known[:SHOWN])}{more}. Give one of these, or train with that task."
            )
        return torch.tensor([self._indices[instruction] for instruction in instructions], device=device)
