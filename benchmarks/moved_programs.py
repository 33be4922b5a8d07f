"""The addresses that the programs of `speed/`, `studies/` and `codes/` had up to version 0.1, until version 0.4."""

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from multiprocessing import parent_process
from types import CodeType, ModuleType
from typing import cast

PACKAGE = "ambidex.benchmarks"
PROGRAMS = {
    "codes": ("code_grid", "code_usage"),
    "speed": ("forward_speed", "rollout_speed", "training_speed"),
    "studies": ("expert_rates", "gpu_study", "stopping_study"),
}
MOVED = {f"{PACKAGE}.{name}": f"{PACKAGE}.{folder}.{name}" for folder, names in PROGRAMS.items() for name in names}
"""Old address -> new address."""


class OldAddresses(MetaPathFinder, Loader):
    """Finds the module of the new address under the old one: `import` gives the same object, `python -m` runs it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=_spec(fullname).origin) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        warnings.warn(_message(spec.name), DeprecationWarning, stacklevel=2)
        module = import_module(MOVED[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state  # the import has replaced it

    def get_code(self, fullname: str) -> CodeType | None:
        """The code for `python -m`."""
        if parent_process() is None:  # worker processes get it again
            warnings.warn_explicit(_message(fullname), DeprecationWarning, sys.argv[0], 1, module="__main__")
        return cast(InspectLoader, _spec(fullname).loader).get_code(MOVED[fullname])


def _spec(old: str) -> ModuleSpec:
    return cast(ModuleSpec, find_spec(MOVED[old]))


def _message(old: str) -> str:
    return f"{old} is now {MOVED[old]}; the old address will be removed in version 0.4."
