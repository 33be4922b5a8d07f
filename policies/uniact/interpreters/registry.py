"""Registered interpreters, one line each. The chunk size is a setting of the policy."""

from collections.abc import Mapping
from dataclasses import dataclass

from ambidex.errors import UsageError, check_name
from ambidex.policies.uniact.interpreters.act_interpreter import ActInterpreter
from ambidex.policies.uniact.interpreters.interpreter import Interpreter, InterpreterSizes
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter


@dataclass(frozen=True, kw_only=True)
class InterpreterKind:
    """An interpreter and the `InterpreterSizes` it is for; `proprio` is None if it does not use proprioception."""

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
    """A new interpreter: a registered one, or for "auto" `ActInterpreter`, in the sizes of the data and of the config.

    Raises:
        UnknownNameError: No such interpreter.
        UsageError: Its sizes differ from those of the data.
    """
    if name == AUTO:
        return ActInterpreter(sizes)
    check_name("interpreter", name, (AUTO, *INTERPRETERS))
    kind = INTERPRETERS[name]
    expected = {"cameras": kind.views, "action dimensions": kind.actions, "joint positions": kind.proprio}
    found = {"cameras": sizes.views, "action dimensions": sizes.actions, "joint positions": sizes.proprio}
    differing = {
        what: (found[what], count) for what, count in expected.items() if count is not None and count != found[what]
    }
    if differing:
        lines = [f"{got} {what}, it has {count}" for what, (got, count) in differing.items()]
        problem = f"The interpreter {name} does not fit: the data has {'; '.join(lines)}."
        hint = f"Use --interpreter {AUTO}, which fits any data, choose --cameras, or use another interpreter."
        raise UsageError(problem, hint, field="interpreter", got=name, differences=differing)
    return kind.make(sizes)
