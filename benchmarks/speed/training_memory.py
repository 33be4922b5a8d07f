"""Memory of one training step, without a GPU: `python -m ambidex.benchmarks.speed.training_memory`.

Weights, gradients and the optimiser's moments are computed from their sizes. Activations are counted in a forward and a
backward pass on tensors that have shapes but no numbers, so a model of any size takes no memory here: every tensor that
the passes make counts until it is freed. Windows are taken as complete. A GPU needs more: its context, workspaces of
kernels and fragments of memory come on top. Flags of the policy, such as `--lora-rank`, change the preset's settings.
"""

import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NoReturn, TypeVar, cast

import torch
import tyro
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from ambidex.benchmarks.speed.training_speed import make_batch, make_policy, random_settings
from ambidex.command_line import defaults_or_exit, peek_flags, run
from ambidex.flags import Switch
from ambidex.policies.policy import Policy
from ambidex.policies.training.large_models.layers import checkpoint_layers
from ambidex.policies.training.learner import LossModule

CPU = torch.device("cpu")
aten = torch.ops.aten
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
MOMENTS = 2  # of AdamW for each trained parameter
COMMAND = "training-memory"
POLICY, PRESET = "robovlms", "paligemma_3b"
Settings = TypeVar("Settings")


@dataclass(frozen=True, kw_only=True)
class MemoryConfig(Generic[Settings]):
    """Count the memory of one training step."""

    policy: str = POLICY
    """The policy."""
    preset: str = PRESET
    """The preset whose sizes it has."""
    batch_size: int = 1
    """Samples per step."""
    precision: Literal["bf16", "fp32"] = "bf16"
    """Precision of the computation; weights, gradients and moments are float32."""
    debug: Switch = False
    """Show tracebacks."""
    model: Annotated[Settings, tyro.conf.arg(name="")]
    """The policy's own settings."""


@dataclass(frozen=True, kw_only=True)
class MemoryReport:
    """Memory of one training step, in bytes unless it says otherwise.

    Attributes:
        parameters: Number of parameters.
        trained: Number of those that are trained.
        weights: Parameters and buffers.
        gradients: Of the trained parameters.
        moments: Of AdamW.
        kept: What the forward pass keeps for the backward pass, with copies of weights as bf16.
        peak: Most that both passes have at once besides the weights, with the gradients made so far.
    """

    parameters: int
    trained: int
    weights: int
    gradients: int
    moments: int
    kept: int
    peak: int

    @property
    def total(self) -> int:
        """Most at once in a step."""
        return self.weights + self.moments + max(self.peak, self.gradients)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, count, and exit."""
    words = sys.argv[1:] if argv is None else argv
    default = defaults_or_exit(COMMAND, defaults_for, words)
    kind = cast("type[MemoryConfig[Any]]", MemoryConfig[type(default.model)])  # type: ignore[misc]
    run(COMMAND, report, kind, words, default=default)


@dataclass(frozen=True, kw_only=True)
class _DecidingFlags:
    policy: str = POLICY
    preset: str = PRESET


def defaults_for(words: Sequence[str]) -> MemoryConfig[Any]:
    """The defaults under some flags: the settings are those of the policy and preset, with sdpa for attention."""
    flags = peek_flags(words, _DecidingFlags)
    settings = random_settings(flags.policy, flags.preset, attention="sdpa")
    return MemoryConfig(policy=flags.policy, preset=flags.preset, model=settings)


def report(config: MemoryConfig[Any]) -> None:
    """Print a table, without and with gradient checkpointing."""
    print(f"{config.policy} {config.preset}, batch {config.batch_size}, {config.precision}, AdamW, no moving average")
    names = "weights gradients moments kept peak total".split()
    print(f"| checkpointing | parameters | trained | {' | '.join(f'{name} [GB]' for name in names)} |\n|{'---|' * 9}")
    for checkpointed in (False, True):
        policy = meta_policy(config.policy, config.model)
        if checkpointed:
            checkpoint_layers(policy)
        found = training_memory(policy, config.batch_size, config.precision)
        counts = (f"{count / 1e6:.1f} M" for count in (found.parameters, found.trained))
        sizes = (f"{getattr(found, name) / 1e9:.2f}" for name in names)
        print(f"| {' | '.join(['yes' if checkpointed else 'no', *counts, *sizes])} |", flush=True)


def meta_policy(name: str, settings: Any) -> Policy:
    """As `make_policy`, without memory for weights."""
    with torch.device("meta"):
        return make_policy(name, settings)


def training_memory(policy: Policy, batch_size: int, precision: str) -> MemoryReport:
    """Count the memory of one training step of a policy on the meta device, which is changed.

    Args:
        policy: In training mode.
        batch_size: Samples.
        precision: "bf16" or "fp32".
    """
    mode = FakeTensorMode()
    _replace_tensors(policy, lambda tensor: FakeTensor(mode, tensor.detach(), CPU))
    parameters = list(policy.parameters())
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    with mode:
        batch = make_batch(policy.inputs, policy.chunk_size, batch_size, CPU)
        with AllSelected(), Allocations([*parameters, *policy.buffers()]) as allocations:  # type: ignore[no-untyped-call]
            loss = LossModule(policy, precision)(batch)["loss"]
            kept = allocations.current
            loss.backward()
    gradients = _bytes(trained)
    return MemoryReport(
        parameters=sum(parameter.numel() for parameter in parameters),
        trained=sum(parameter.numel() for parameter in trained),
        weights=_bytes(parameters) + _bytes(policy.buffers()),
        gradients=gradients,
        moments=MOMENTS * gradients,
        kept=kept,
        peak=allocations.peak,
    )


class Allocations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that are made within the block, as long as they live.

    Attributes:
        current: Of those that live.
        peak: Most so far.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.current = self.peak = 0
        self._known = WeakIdKeyDictionary()
        for tensor in known:
            self._known[tensor.untyped_storage()] = True

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and value.untyped_storage() not in self._known:
                self._add(value.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        size = storage.nbytes()
        self._known[storage] = True
        weakref.finalize(storage, self._free, size)
        self.current += size
        self.peak = max(self.peak, self.current)

    def _free(self, size: int) -> None:
        self.current -= size


class AllSelected(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Lets masks select everything: there are no numbers that say how much they select."""

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is aten.nonzero.default:
            return _positions(args[0])
        if func is aten._local_scalar_dense.default and args[0].dtype == torch.bool:
            return True
        if func in INDEXING:
            args = (args[0], [part for index in args[1] for part in _parts(index)], *args[2:])
        return func(*args, **(kwargs or {}))


def _positions(mask: Tensor) -> Tensor:
    """The result of `nonzero` for a mask that is true everywhere, as far as shapes go."""
    return mask.new_zeros((mask.numel(), mask.ndim), dtype=torch.int64)


def _parts(index: Tensor | None) -> Sequence[Tensor | None]:
    """An index as indices that are no masks."""
    return _positions(index).unbind(1) if index is not None and index.dtype == torch.bool else (index,)


def _replace_tensors(module: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
    """Replace all parameters and buffers, each once, however many modules share it."""
    made: dict[int, Tensor] = {}
    for each in module.modules():
        for tensors in (each._parameters, each._buffers):
            for name, tensor in tensors.items():
                if tensor is None:
                    continue
                if id(tensor) not in made:
                    new = change(tensor)
                    made[id(tensor)] = nn.Parameter(new, tensor.requires_grad) if tensors is each._parameters else new
                tensors[name] = made[id(tensor)]  # type: ignore[assignment]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


if __name__ == "__main__":
    main()
