"""Policies of the caller's own: functions of observations, agents, and makers of agents."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ambidex.benchmarks.results.info import CodeInfo
from ambidex.envs.env import Environment
from ambidex.envs.types import Agent, Float32Array, Observation
from ambidex.errors import AmbidexError, UsageError

ADDRESS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
ENVIRONMENT_NAMES = ("env", "environment")
FORMS = (
    "Expected a function of an observation, an object with reset and act, a class of such objects, or a function of an "
    "environment, whose parameter is called env, that returns one."
)


@dataclass(frozen=True)
class FunctionAgent:
    """Acts by a function: observation -> action, shape (A,)."""

    function: Callable[[Observation], Any]

    def reset(self, observation: Observation, seed: int) -> None:
        """Do nothing: the function keeps no state of an episode."""

    def act(self, observation: Observation) -> Float32Array:
        return np.asarray(self.function(observation), np.float32)


@dataclass(frozen=True)
class OwnPolicy:
    """Makes agents by code of the caller's own. Picklable if the code is.

    Attributes:
        code: One of `FORMS`.
        makes_agents: Calling it returns an agent.
        takes_environment: It is called with an environment then; False for a class whose constructor needs no argument.
    """

    code: Any
    makes_agents: bool
    takes_environment: bool = True

    @classmethod
    def of(cls, code: object) -> "OwnPolicy":
        """Tell from code which of the forms it has.

        Raises:
            UsageError: None of them.
        """
        if is_agent(code):
            return cls(code, makes_agents=False)
        if not callable(code):
            raise UsageError(f"{code!r:.200} is no policy.", FORMS, got=type(code).__name__)
        if isinstance(code, type) and _can_be_called(code):
            return cls(code, makes_agents=True, takes_environment=_names_environment(code))
        if not _can_be_called(code, None):
            problem = f"{code!r:.200} with the signature {inspect.signature(code)} does not take one argument."
            raise UsageError(problem, FORMS)
        return cls(code, makes_agents=isinstance(code, type) or _names_environment(code))

    def __call__(self, env: Environment) -> Agent:
        """An agent for an environment.

        Raises:
            UsageError: The code returned something else, or raised an error.
        """
        made = self._make(env) if self.makes_agents else self.code
        if is_agent(made):
            return made  # type: ignore[no-any-return]
        if self.makes_agents:
            problem = f"{self.address} returned {made!r:.200}, which has no reset and act."
            raise UsageError(problem, FORMS, got=type(made).__name__)
        return FunctionAgent(self.code)

    def _make(self, env: Environment) -> Any:
        try:
            return self.code(env) if self.takes_environment else self.code()
        except AmbidexError:
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}".rstrip(": .")
            problem = f"{self.address} could not make an agent ({cause})."
            raise UsageError(problem, "Correct it; --debug shows where it was raised.") from error

    @property
    def address(self) -> str:
        """Where the code is, as MODULE:NAME; a function within another one cannot be imported by it."""
        info = self.info
        return f"{info.module}:{info.qualified_name}"

    @property
    def info(self) -> CodeInfo:
        """Where the code is; that of an object is its class."""
        return code_info(self.code)


def code_info(code: Any) -> CodeInfo:
    """Where code is; that of an object is its class."""
    code = code.func if isinstance(code, partial) else code
    found = code if hasattr(code, "__qualname__") else type(code)
    module = str(found.__module__ or "")  # None for some functions written in C
    # A script or notebook also has the call of benchmark, in which episodes and resume may change.
    hashed = found if module == "__main__" else sys.modules.get(module, found)
    try:
        file, text = str(inspect.getsourcefile(found) or ""), inspect.getsource(hashed)
    except (OSError, TypeError):  # not from a file
        file, text = "", ""
    digest = sha256(text.encode()).hexdigest() if text else ""
    return CodeInfo(module=module, qualified_name=found.__qualname__, file=file, sha256=digest)


def is_address(policy: str) -> bool:
    """Whether the name of a policy has the form MODULE:NAME."""
    return ADDRESS.fullmatch(policy) is not None


def load_own(address: str) -> OwnPolicy:
    """The policy at an address MODULE:NAME.

    Raises:
        UsageError: It cannot be imported, or is no policy.
    """
    return OwnPolicy.of(import_code("--policy", address))


def import_code(flag: str, address: str) -> Any:
    """What is at an address MODULE:NAME; modules of the current folder are found too. `flag` is named in errors.

    Raises:
        UsageError: It cannot be imported.
    """
    module, _, name = address.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        cause = f"{type(error).__name__}: {error}".rstrip(": .")
        hint = "Expected MODULE:NAME, of a module that Python can import from this folder."
        raise UsageError(f"{flag} {address} cannot be loaded ({cause}).", hint, got=address) from error
    return found


def is_agent(found: object) -> bool:
    """Whether an object, not a class, has the methods of an agent."""
    methods = (getattr(found, name, None) for name in ("reset", "act"))
    return not isinstance(found, type) and all(callable(method) for method in methods)


def _can_be_called(code: Callable[..., object], *arguments: object) -> bool:
    try:
        inspect.signature(code).bind(*arguments)
    except ValueError:  # of a function written in C
        return bool(arguments)
    except TypeError:
        return False
    return True


def _names_environment(code: Callable[..., object]) -> bool:
    try:
        parameters = list(inspect.signature(code).parameters.values())
    except ValueError:  # of a function written in C
        return False
    if not parameters:  # of a class
        return False
    annotation = getattr(parameters[0].annotation, "__name__", parameters[0].annotation)
    return parameters[0].name in ENVIRONMENT_NAMES or str(annotation).rpartition(".")[2] == Environment.__name__
