"""Interpreters by name, a line each. How many actions they give at once is the configuration's business."""

from collections.abc import Mapping
from dataclasses import dataclass

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.uniact.interpreters.act_interpreter import ActInterpreter
from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter

# FOLDED policies.uniact.interpreters.interpreter_kind: An interpreter by name.


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


AUTO = "auto"
INTERPRETERS: Mapping[str, InterpreterKind] = {
    "MLP_1RGB_7DoFs_4FutureAction": InterpreterKind(make=MlpInterpreter, views=1, actions=7, proprio=None),
    "ACT_2RGB_7DoFs_8Proprio": InterpreterKind(make=ActInterpreter, views=2, actions=7, proprio=8),
    "ACT_2RGB_7DoFs_9Proprio": InterpreterKind(make=ActInterpreter, views=2, actions=7, proprio=9),
    "ACT_3RGB_14DoFs_14Proprio": InterpreterKind(make=ActInterpreter, views=3, actions=14, proprio=14),
}


def make_interpreter(name: str, sizes: InterpreterSizes) -> Interpreter:
    """A fresh interpreter.

    Args:
        name: A registered one, or "auto" for `ActInterpreter` in the sizes of the data.
        sizes: Of the data and of the configuration.

    Raises:
        UnknownNameError: No such interpreter.
        UsageError: It is for another robot than that of the data.
    """
    if name == AUTO:
        return ActInterpreter(sizes)
    if name not in INTERPRETERS:
        raise UnknownNameError("interpreter", name, (AUTO, *INTERPRETERS))
    kind = INTERPRETERS[name]
    expected = {"cameras": kind.views, "action dimensions": kind.actions, "joint positions": kind.proprio}
    found = {"cameras": sizes.views, "action dimensions": sizes.actions, "joint positions": sizes.proprio}
    lines = [
        f"{found[what]} {what}, it has {count}" for what, count in expected.items() if count not in (found[what], None)
    ]
    if lines:
        raise UsageError(
            f"The interpreter {name} is not for this robot: the data have {'; '.join(lines)}. Take --interpreter "
            f"{AUTO}, which fits any data, choose --cameras, or take another of {', '.join(INTERPRETERS)}."
        )
    return kind.make(sizes)
