"""The training state, from which training resumes exactly: trained weights, optimiser moments, moving average."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from ambidex.errors import CheckpointError
from ambidex.policies.checkpoint import read_tensors, tensor_mismatches, write_tensors
from ambidex.policies.run_folder import MODEL
from ambidex.policies.training.large_models.sharding import copy_into, is_sharded
from ambidex.text import first_few

FILE = "training_state.safetensors"


class MovingAverage:
    """Exponential moving average of parameters (Polyak & Juditsky 1992, as in diffusion policies).

    The decay is the share of the average that stays in each step; the first steps decay faster.

    Attributes:
        values: Name -> average.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self.values: dict[str, Tensor] = {name: value.detach().clone() for name, value in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Include the weights after a step, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), list(self._parameters.values()), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the parameters hold the average."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self._parameters.items():
            if is_sharded(parameter):  # FSDP keeps views of its memory
                average = self.values[name].clone()
                self.values[name].copy_(parameter)
                parameter.copy_(average)
            else:
                parameter.data, self.values[name] = self.values[name], parameter.data


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingState:
    """Everything that changes from step to step; sampler and noise are pure functions of the step.

    Frozen parameters are read from the checkpoint's own weights, so that they are stored once.

    Attributes:
        parameters: Name -> parameter of the policy, trained or frozen.
        buffers: Name -> buffer of the policy.
        optimizer: Holds the moments of the trained parameters.
        average: The moving average; None without.
    """

    parameters: Mapping[str, nn.Parameter]
    buffers: Mapping[str, Tensor]
    optimizer: AdamW
    average: MovingAverage | None

    @torch.no_grad()
    def read(self, folder: Path, hint: str) -> None:
        """Inverse of `write_state`; the hint says what to do if a file is damaged.

        Raises:
            CheckpointError: Missing, damaged, or of another policy.
        """
        stored = {**self._read_frozen(folder.parent / MODEL, hint), **read_tensors(folder / FILE, hint)}
        self._make_moments({name.partition("/")[2] for name in stored if name.startswith("exp_avg/")})
        own = self._named(self.parameters)
        mismatches = tensor_mismatches(own, stored)
        if mismatches:
            problem = f"{folder} is of another policy, {len(mismatches)} tensors differ: {first_few(mismatches)}."
            raise CheckpointError(problem, "Train again in another --output-dir.", path=folder)
        for name, tensor in own.items():
            copy_into(tensor, stored[name])

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that the state's file has, under a unique name, not copied."""
        return self._named({name: value for name, value in self.parameters.items() if value.requires_grad})

    def _named(self, parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {f"parameter/{name}": value for name, value in parameters.items()}
        tensors |= {f"buffer/{name}": value for name, value in self.buffers.items()}
        if self.average:
            tensors |= {f"average/{name}": value for name, value in self.average.values.items()}
        for name, parameter in self.parameters.items():
            for moment, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"{moment}/{name}"] = value
        return tensors

    def _read_frozen(self, model: Path, hint: str) -> dict[str, Tensor]:
        frozen = [name for name, value in self.parameters.items() if not value.requires_grad]
        stored = read_tensors(model, hint) if frozen else {}
        return {f"parameter/{name}": stored[name] for name in frozen if name in stored}

    def _make_moments(self, names: set[str]) -> None:
        """Let the optimiser allocate moments with a step, whose effects are all overwritten afterwards."""
        for name, parameter in self.parameters.items():
            parameter.grad = torch.zeros_like(parameter) if name in names else None
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def write_state(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write the tensors of a state, without shards, into a new folder.

    Raises:
        CheckpointError: They cannot be written.
    """
    folder.mkdir()
    write_tensors(folder / FILE, tensors)
