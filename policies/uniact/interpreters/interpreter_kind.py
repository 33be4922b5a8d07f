"""An interpreter by name."""

from dataclasses import dataclass

from ambidex.policies.uniact.interpreters.interpreter import Interpreter


@dataclass(frozen=True, kw_only=True)
class InterpreterKind:
    """What robot an interpreter is for.

    Attributes:
        make: Its class.
        views: Cameras.
        actions: Dimensions of an action.
        proprio: Dimensions of proprioception; None if it does not look at it.
    """

    make: type[Interpreter]
    views: int
    actions: int
    proprio: int | None
