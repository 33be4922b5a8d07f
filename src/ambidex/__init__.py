"""Record, train and benchmark robot manipulation in MuJoCo.

| | |
|---|---|
| `make`, `rollout` | an environment by the name of its task; one episode of an agent in it |
| `make_expert` | the scripted expert of a task, an agent |
| `Agent`, `Observation` | what `rollout` needs of an agent of your own; what the agent gets |
| `record`, `read` | record a dataset; read it, or one of its episodes |
| `train`, `load`, `make_agent` | train a policy; load a checkpoint; act by a policy |
| `benchmark`, `compare` | success rates of a policy or baseline; paired tests between results |

What `__all__` names is public: it changes only with a deprecation warning for one minor version, as do the commands and
the formats of files. Everything else may change without notice.
"""

import os
import signal
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

_COMMANDS = frozenset(
    "record-episodes merge-datasets render-episodes verify-episodes inspect-dataset convert-dataset "
    "train-policy serve-policy run-benchmark merge-results evaluate-robot compare-policies export-results "
    "report-robustness verify-results watch-rollouts".split()
)
_NAME = sys.argv[0].rpartition("/")[2] if sys.argv else ""


def _exit_at_once(number: int, frame: object) -> NoReturn:
    os.write(2, f"{_NAME}: Interrupted.\n".encode())
    os._exit(130)


# Ctrl-C while the modules of a command are imported, which takes most of its first second, is no error in one of them.
if _NAME in _COMMANDS and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _exit_at_once)

from ambidex.envs.wrappers import gym_env as _gym_env  # noqa: E402  # slow to import

# Mesa's software rasteriser would start threads with the first OpenGL display. They do not survive a fork, with which
# Gymnasium's asynchronous vector environments start, and in several worker processes they slow each other down.
os.environ.setdefault("LP_NUM_THREADS", "0")

if TYPE_CHECKING:
    from ambidex.benchmarks.comparison.compare import compare
    from ambidex.benchmarks.comparison.config import CompareConfig
    from ambidex.benchmarks.evaluation.benchmark import benchmark
    from ambidex.benchmarks.evaluation.config import BenchmarkConfig
    from ambidex.envs.env import Environment, make
    from ambidex.envs.rollout import rollout
    from ambidex.envs.types import Agent, Observation
    from ambidex.policies.checkpoint import load
    from ambidex.policies.serving.local import make_agent
    from ambidex.policies.train_policy import train_config
    from ambidex.policies.training.config import TrainConfig
    from ambidex.policies.training.train import train
    from ambidex.recorders.dataset.dataset import read
    from ambidex.recorders.recording.config import RecordConfig
    from ambidex.recorders.recording.record import record
    from ambidex.scripted_policies.registry import make_expert

__version__ = "0.3.0"
__all__ = [
    "Agent",
    "BenchmarkConfig",
    "CompareConfig",
    "Environment",
    "Observation",
    "RecordConfig",
    "TrainConfig",
    "__version__",
    "benchmark",
    "compare",
    "load",
    "make",
    "make_agent",
    "make_expert",
    "read",
    "record",
    "rollout",
    "train",
    "train_config",
]
_MODULES = {
    "Agent": "envs.types",
    "BenchmarkConfig": "benchmarks.evaluation.config",
    "CompareConfig": "benchmarks.comparison.config",
    "Environment": "envs.env",
    "Observation": "envs.types",
    "RecordConfig": "recorders.recording.config",
    "TrainConfig": "policies.training.config",
    "benchmark": "benchmarks.evaluation.benchmark",
    "compare": "benchmarks.comparison.compare",
    "load": "policies.checkpoint",
    "make": "envs.env",
    "make_agent": "policies.serving.local",
    "make_expert": "scripted_policies.registry",
    "read": "recorders.dataset.dataset",
    "record": "recorders.recording.record",
    "rollout": "envs.rollout",
    "train": "policies.training.train",
    "train_config": "policies.train_policy",
}
_FOLDERS = ("assets", "benchmarks", "envs", "policies", "recorders", "scripted_policies")

_gym_env.register_all()  # so that gymnasium.make("ambidex/Insertion-v0") works after `import ambidex`


def __getattr__(name: str) -> object:
    if name in _MODULES:  # when first used: most import the simulator or torch
        return getattr(_import(f"ambidex.{_MODULES[name]}"), name)
    if name in _FOLDERS:
        return import_module(f"ambidex.{name}")
    raise AttributeError(f"module 'ambidex' has no attribute {name!r}")


def _import(module: str) -> ModuleType:
    try:
        return import_module(module)
    except Exception:  # mujoco cannot be imported with some values of MUJOCO_GL, e.g. without the library of OSMesa
        import_module("ambidex.envs.simulation.opengl").check_environment()  # raises the error that says so
        raise


def __dir__() -> list[str]:
    return sorted({*__all__, *_FOLDERS, "errors", *(name for name in globals() if name.startswith("__"))})
