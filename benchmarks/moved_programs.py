"""The addresses that the programs of `speed/`, `studies/` and `codes/` had up to version 0.1, until version 0.4."""

import sys
import warnings
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, spec_from_loader
from multiprocessing import parent_process
from types import CodeType, ModuleType

PROGRAMS = {
    "codes": ("code_grid", "code_usage"),
    "speed": ("forward_speed", "rollout_speed", "training_speed"),
    "studies": ("expert_rates", "gpu_study", "stopping_study"),
}
PACKAGE = "ambidex.benchmarks"
MOVED = {f"{PACKAGE}.{name}": f"{PACKAGE}.{folder}.{name}" for folder, names in PROGRAMS.items() for name in names}
"""Old address -> new address."""


class OldAddresses(MetaPathFinder):
    """Finds the module of the new address under the old one: `import` gives the same object, `python -m` runs it."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        moved = find_spec(MOVED[fullname]) if fullname in MOVED else None
        return spec_from_loader(fullname, _Loader(fullname, str(moved.origin))) if moved else None


class _Loader(SourceFileLoader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        warnings.warn(_message(self.name), DeprecationWarning, stacklevel=2)
        module = import_module(MOVED[self.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = module.__spec__ and module.__spec__.loader_state  # the import has replaced it

    def get_code(self, fullname: str) -> CodeType | None:  # for `python -m`, and again in its worker processes
        if parent_process() is None:
            warnings.warn_explicit(_message(fullname), DeprecationWarning, sys.argv[0], 1, module="__main__")
        return super().get_code(fullname)


def _message(old: str) -> str:
    return f"{old} is now {MOVED[old]}; the old address will be removed in version 0.4."
